// What the viewer reads of frames, against the schema that Python writes them by.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import Ajv from "ajv/dist/2020.js";
import { Choice } from "../../mae_viz/viewer/js/choice.js";
import { Frames } from "../../mae_viz/viewer/js/frames.js";
import { csv, rateText } from "../../mae_viz/viewer/js/numbers.js";
import { strict } from "./strict.js";

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const listings = read(new URL("listings.json", import.meta.url));
const schema = read(new URL("../../mae_viz/ladders/frame.schema.json", import.meta.url));
const validate = new Ajv({ allErrors: true, strict: true }).compile(schema);

for (const [name, listing] of Object.entries(listings))
  test(`the listing of ${name} is as the schema says`, () => {
    validate(listing);
    assert.deepEqual(validate.errors ?? [], []);
    assert.notDeepEqual(listing.frames, []);
  });

test("what the schema does not say is found", () => {
  const [frame] = listings.mae.frames;
  for (const wrong of [{ psnr: 30 }, { psnr_db: "Infinity" }, { psnr_db: null }, { bytes: 0 }, { file: undefined }])
    assert.equal(validate({ ...listings.mae, frames: [{ ...frame, ...wrong }] }), false, JSON.stringify(wrong));
  assert.throws(() => strict(listings.mae, schema).frames[0].psnr, /no psnr in the schema/);
});

test("the viewer reads of frames nothing but what the schema names", async () => {
  const axes = { original: "none", mae: "lmbda", jpeg: "quality" };
  const codecs = Object.entries(axes).map(([id, axis]) => ({ id, title: id, ladder: id, axis, maps: true, only: [] }));
  const rates = { first: 0, last: 384, start: 50 };
  for (const codec of codecs) Object.assign(codec, rates);
  let heard = () => {};
  const host = {
    ladder: async (id) => strict(listings[id], schema),
    bytes: async () => new Blob([new Uint8Array(24)]),
  };
  const frames = new Frames(
    host,
    () => heard(),
    () => [],
    () => 48 * 32,
  );
  const ladderOf = (codec) => frames.ladder(codec.ladder);
  const viewer = {
    manifest: { codecs },
    index: 192,
    whole: false,
    channel: 3,
    panes: [],
    ladderOf,
    reference: () => ({ bytes: 900, psnr_db: 30 }),
  };
  viewer.original = ladderOf(codecs[0]);
  for (const layer of ["bits", "y", "ratio"]) viewer.panes.push(new Choice(viewer, { codec: "mae", layer }));
  const pictures = codecs.map(({ id }) => new Choice(viewer, { codec: id }));
  const settled = () => {
    frames.want(viewer.panes.flatMap((pane) => pane.resolve()));
    return viewer.panes.every((pane) => pane.frame && !pane.waiting);
  };
  while (!settled()) {
    await new Promise((change) => {
      heard = change;
    });
  }
  for (const pane of pictures) pane.resolve();
  for (const { ladder } of viewer.panes) frames.trim(ladder);
  const shown = [...viewer.panes, ...pictures];
  assert.match(csv("a picture", shown), /^picture,.*\r\na picture,mae,lmbda,64,/);
  for (const { codec, ladder } of shown) for (const frame of ladder.frames) rateText(codec, frame);
  frames.close();
});
