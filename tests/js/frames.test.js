import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Frames } from "../../mae_viz/viewer/js/frames.js";

const GRID = [0, 64, 128, 192, 256, 320, 384];
const named = (at, more = {}) => ({ at, file: `${at}.webp`, bits: `${at}.f32`, y: `${at}-y.f32`, ...more });
const listed = (...frames) => ({ frames, total: frames.length, complete: true, places: [2, 3] });
const SMALL = 768 * 512;

/** Frames on a host that answers `listings` by ladder, and its requests for bytes, each answered by hand. */
function opened(listings, { exact = [], pixels = SMALL } = {}) {
  const asked = [];
  let heard = () => {};
  const host = {
    async ladder(id) {
      const listing = listings[id];
      if (listing instanceof Error) throw listing;
      return listing;
    },
    bytes: (id, file, parts) => new Promise((answer, fail) => asked.push({ id, file, parts, answer, fail })),
  };
  frames = new Frames(
    host,
    () => heard(),
    () => exact,
    () => pixels,
  );
  /** Waits for a state of the frames, never for a time. */
  const until = async (there) => {
    while (!there())
      await new Promise((change) => {
        heard = change;
      });
  };
  const ladder = async (id) => {
    const found = frames.ladder(id);
    await until(() => found.info);
    return found;
  };
  const files = () => asked.map(({ file }) => file);
  /** Answers a request, and waits until its frame is here. */
  const answer = async (file) => {
    const one = asked.find((request) => request.file === file);
    one.answer(new Blob([new Float32Array(6)]));
    await until(() => frames.ladders.get(one.id).assets.has(file));
  };
  return { asked, files, ladder, until, answer };
}

let frames;
afterEach(() => frames.close());

/** A bitmap of so many bytes, which remembers whether it was closed. */
const bitmap = (bytes) => ({
  width: bytes / 4,
  height: 1,
  close() {
    this.closed = true;
  },
});

test("the frame at hand is fetched first, then always the one farthest from all that are here or coming", async () => {
  const { files, ladder, answer } = opened({ mae: listed(...GRID.map((at) => named(at))) });
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 200 }]);
  assert.deepEqual(files(), ["192.f32", "0.f32", "384.f32", "64.f32"]); // four at once
  for (const file of [...files()]) await answer(file);
  assert.deepEqual(files().slice(4), ["128.f32", "256.f32", "320.f32"]);
});

test("λ overtakes what was to be fetched ahead of need", async () => {
  const { files, ladder, answer } = opened({ mae: listed(...GRID.map((at) => named(at))) });
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 192 }]);
  frames.want([{ ladder: mae, kind: "bits", at: 330 }]);
  await answer("0.f32");
  assert.equal(files()[4], "320.f32");
});

test("a complete list is read again, once, where a frame between its own has come to be wanted", async () => {
  const listings = { webp: listed(...GRID.map((at) => named(at))) };
  const exact = [];
  const { ladder, until } = opened(listings, { exact });
  const webp = await ladder("webp");
  frames.follow(webp); // it has all that is wanted
  assert.equal(webp.asked, 1);
  exact.push(96);
  listings.webp = listed(...GRID.map((at) => named(at)), named(96, { extra: true }));
  for (let drawing = 0; drawing < 3; drawing++) frames.follow(webp);
  assert.equal(webp.asked, 2);
  await until(() => webp.nearest(96).at === 96);
  frames.follow(webp);
  assert.equal(webp.asked, 2);
});

test("the nearest frame among those that are here", async () => {
  const { ladder, answer } = opened({ mae: listed(...GRID.map((at) => named(at))) });
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 192 }]);
  await answer("384.f32");
  assert.equal(mae.nearest(200).at, 192);
  assert.equal(mae.nearest(200, (frame) => mae.get(frame, "bits")).at, 384);
});

test("frames between the grid's are fetched where one is at hand, never ahead of need", async () => {
  const between = named(70, { extra: true });
  const { files, ladder } = opened({ mae: listed(named(0), between, named(384)) });
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 80 }]);
  assert.deepEqual(files(), ["0.f32", "384.f32"]);
  frames.want([{ ladder: mae, kind: "bits", at: 70 }]);
  assert.equal(files()[2], "70.f32");
});

test("of y single channels are fetched: their rows in the file, or among the channels that a file keeps", async () => {
  const { asked, ladder } = opened({ all: listed(named(0)), few: { ...listed(named(64)), kept: [40, 7] } });
  const [all, few] = [await ladder("all"), await ladder("few")];
  const want = (channel) => frames.want([all, few].map((ladder) => ({ ladder, kind: "y", channel, at: 0 })));
  want(7);
  want(8); // `few` does not keep it
  want("40,7");
  const found = asked.map(({ id, file, parts }) => [id, file, ...parts]);
  assert.deepEqual(found, [
    ["all", "0-y.f32", [168, 24]],
    ["few", "64-y.f32", [24, 24]],
    ["all", "0-y.f32", [192, 24]],
    ["all", "0-y.f32", [960, 24], [168, 24]],
  ]);
});

test("what failed is asked for again after a while", async () => {
  const { asked, files, ladder, until, answer } = opened({ mae: listed(named(0)) });
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 0 }]);
  asked[0].fail(new Error("the network is gone"));
  await until(() => mae.failed.size);
  assert.deepEqual(files(), ["0.f32"]);
  while (asked.length < 2) await new Promise(setImmediate);
  assert.deepEqual(files(), ["0.f32", "0.f32"]);
  asked.shift();
  await answer("0.f32");
});

test("large pictures come one at a time", async () => {
  const { files, ladder } = opened({ mae: listed(...GRID.map((at) => named(at))) }, { pixels: 12e6 });
  frames.want([{ ladder: await ladder("mae"), kind: "bits", at: 192 }]);
  assert.deepEqual(files(), ["192.f32"]);
});

test("pictures are fetched ahead of need up to a limit for each ladder, the one at hand always", async () => {
  const { files, ladder } = opened({ mae: listed(...GRID.map((at) => named(at))) });
  const mae = await ladder("mae");
  mae.received = 22e6;
  mae.assets.set("0.webp", bitmap(4 * SMALL));
  frames.want([{ ladder: mae, kind: "picture", at: 192 }]);
  assert.deepEqual(files(), ["192.webp"]);
});

/** Two ladders in memory up to its limit: 100 MB of `mae` and 99 MB of `old`; the frame of `mae` at 384 is missing. */
async function full() {
  const host = opened({ mae: listed(...GRID.map((at) => named(at))), old: listed(named(0)) });
  const [mae, old] = [await host.ladder("mae"), await host.ladder("old")];
  const held = new Map(GRID.slice(0, 5).map((at) => [at, bitmap(20e6)]));
  for (const [at, asset] of held) mae.assets.set(`${at}.webp`, asset);
  old.assets.set("0.webp", bitmap(99e6));
  const closed = () => [...held].filter(([, asset]) => asset.closed).map(([at]) => at);
  return { ...host, mae, old, closed };
}

test("where memory is short, what no pane shows goes first", async () => {
  const { files, mae, old, closed } = await full();
  frames.want([{ ladder: mae, kind: "picture", at: 384 }]);
  assert.equal(files()[0], "384.webp");
  assert.equal(old.held, 0);
  assert.deepEqual(closed(), []);
});

test("else the frames farthest from λ go, for the one at hand alone; what is on show stays", async () => {
  const { files, mae, old, closed } = await full();
  const shown = { ladder: old, kind: "picture", at: 0, shown: "0.webp" };
  frames.want([{ ladder: mae, kind: "picture", at: 256, shown: "256.webp" }, shown]); // it is here, the rest can wait
  assert.deepEqual(files(), []);
  frames.want([{ ladder: mae, kind: "picture", at: 384, shown: "0.webp" }, shown]);
  assert.deepEqual(files(), ["384.webp"]);
  assert.deepEqual(closed(), [64]); // at 0 is what the pane still shows
  assert.equal(old.held, 99e6);
});

test("of the frames between the grid's the sixteen newest stay, and those at hand", async () => {
  const { ladder } = opened({ mae: listed(...Array.from({ length: 20 }, (_, i) => named(i, { extra: true }))) });
  const mae = await ladder("mae");
  for (const { file } of mae.frames) mae.assets.set(file, bitmap(4));
  frames.want([{ ladder: mae, kind: "picture", at: 1 }]);
  frames.trim(mae);
  assert.deepEqual(
    mae.frames.filter((frame) => !mae.get(frame, "picture")).map(({ at }) => at),
    [0, 2, 3],
  );
});

test("a list is read until it is complete", async () => {
  const listings = { mae: { ...listed(named(0)), total: 2, complete: false } };
  const { ladder, until } = opened(listings);
  const mae = await ladder("mae");
  listings.mae = listed(named(0), named(64));
  await until(() => mae.info.complete);
  assert.deepEqual(
    mae.frames.map(({ at }) => at),
    [0, 64],
  );
});

test("a slow answer does not undo a later one", async () => {
  const listings = { mae: listed(named(0)) };
  const { ladder } = opened(listings);
  const mae = await ladder("mae");
  let answer;
  listings.mae = new Promise((resolve) => {
    answer = resolve;
  });
  const slow = frames.poll(mae);
  listings.mae = listed(named(0), named(64));
  await frames.poll(mae);
  answer(listed(named(0)));
  await slow;
  assert.equal(mae.frames.length, 2);
});

test("what the server has lost is not asked for again, but made again", async () => {
  const listings = { mae: listed(named(0), named(64)) };
  const { asked, files, ladder, until } = opened(listings);
  const mae = await ladder("mae");
  frames.want([{ ladder: mae, kind: "bits", at: 64 }]);
  listings.mae = { ...listed(named(0)), total: 2, complete: false };
  for (const request of asked) request.fail(new Error("the server answers 404"));
  await until(() => mae.frames.length === 1);
  listings.mae = listed(named(0), named(64, { bits: "made again.f32" }));
  await until(() => mae.info.complete);
  assert.ok(files().includes("made again.f32"));
  assert.equal(files().filter((file) => file === "64.f32").length, 1);
});

test("a host that fails is heard, and asked again", async () => {
  const listings = { mae: new Error("this picture is not open any more") };
  const { until } = opened(listings);
  const mae = frames.ladder("mae");
  await until(() => mae.error);
  assert.equal(mae.error, "this picture is not open any more");
  listings.mae = listed(named(0));
  await until(() => mae.info);
  assert.equal(mae.error, null);
});

test("a rate that λ rests on is asked for until its frame is there", async () => {
  const listings = { mae: listed(named(0)) };
  const { ladder, until } = opened(listings, { exact: [70] });
  const mae = await ladder("mae");
  listings.mae = listed(named(0), named(70, { extra: true }));
  await until(() => mae.frames.length === 2);
});

test("nor does it matter that a question about it gets lost once all others are there", async () => {
  const exact = [];
  const listings = { mae: listed(named(0)) };
  const { ladder, until } = opened(listings, { exact });
  const mae = await ladder("mae");
  exact.push(70);
  listings.mae = new Error("the server answers 502");
  await frames.poll(mae);
  assert.equal(mae.error, "the server answers 502");
  listings.mae = listed(named(0), named(70, { extra: true }));
  await until(() => mae.frames.length === 2);
  assert.equal(mae.error, null);
});

test("a ladder that is forgotten gives its memory back", async () => {
  const { ladder } = opened({ mae: listed(named(0)), jpeg: listed(named(40)) });
  const [mae, jpeg] = [await ladder("mae"), await ladder("jpeg")];
  for (const [one, file] of [
    [mae, "0.webp"],
    [jpeg, "40.webp"],
  ])
    one.assets.set(file, bitmap(400));
  assert.equal(frames.held, 800);
  frames.forgetAllBut(new Set(["mae"]));
  assert.equal(frames.held, 400);
  assert.notEqual(frames.ladder("jpeg"), jpeg);
});
