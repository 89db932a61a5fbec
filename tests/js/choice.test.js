import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Choice } from "../../mae_viz/viewer/js/choice.js";

const CODECS = {
  original: { id: "original", axis: "none", only: [] },
  mae: { id: "mae", axis: "lmbda", maps: true, only: [], first: 0, last: 384 },
  independent: { id: "independent", axis: "lmbda", maps: true, only: [0, 64, 192], first: 0, last: 192 },
  jpeg: { id: "jpeg", axis: "quality", only: [], first: 5, last: 95, start: 50 },
  scaled: { id: "scaled", axis: "quality", unit: "scale", maps: true, only: [], listed: [0.1, 0.5, 1] },
};
const JPEG = [
  [5, 400],
  [50, 900],
  [95, 4000],
].map(([at, bytes]) => ({ at, bytes, file: `${at}.webp` }));
const MAE = [0, 64, 128].map((at) => ({
  at,
  bytes: 500 + at,
  file: `${at}.webp`,
  bits: `${at}.f32`,
  y: `${at}-y.f32`,
}));

let viewer;
beforeEach(() => {
  viewer = {
    manifest: { codecs: Object.values(CODECS) },
    index: 100,
    whole: false,
    channel: 3,
    panes: [],
    bytes: 1000,
    reached: {},
    original: ladderWith([{ at: 0, file: "original.webp" }]),
    ladders: {
      original: ladderWith([{ at: 0 }]),
      mae: ladderWith(MAE),
      jpeg: ladderWith(JPEG),
      scaled: ladderWith([0.1, 0.5, 1].map((at) => ({ at, bytes: 900 + at, y: `${at}-y.f32` }))),
      independent: ladderWith([]),
    },
    ladderOf: ({ id }) => viewer.ladders[id],
    reference: () => viewer.reached && { bytes: viewer.bytes, ...viewer.reached },
    changed: () => {},
  };
});

/** A ladder as `Frames` has it, with the pictures of the frames at `here`. */
function ladderWith(frames, here = frames.map(({ at }) => at)) {
  const source = (frame, kind) => ({ key: kind === "picture" ? frame.file : frame[kind] });
  const get = (frame, kind) => here.includes(frame.at) && source(frame, kind).key;
  const nearest = (at, has = () => true) =>
    frames.filter(has).reduce((a, b) => (!a || Math.abs(b.at - at) < Math.abs(a.at - at) ? b : a), null);
  return { frames, info: { places: [2, 3] }, source, get, nearest };
}

const pane = (state) => {
  const made = new Choice(viewer, state);
  viewer.panes.push(made);
  return made;
};

test("who follows λ, and who another's bytes", () => {
  assert.equal(pane({ codec: "mae" }).target(), 100);
  assert.equal(pane({ codec: "mae", follow: "own", own: 37 }).target(), 37);
  assert.equal(pane({ codec: "independent" }).target(), 64); // the nearest of its networks
  assert.equal(pane({ codec: "original" }).target(), 0);
  viewer.index = 300;
  assert.equal(pane({ codec: "independent" }).target(), 192);
});

test("the same bytes are the largest file that is not larger, else the smallest there is", () => {
  const jpeg = pane({ codec: "jpeg" });
  assert.equal(jpeg.follow, "bytes");
  for (const [bytes, at] of [
    [1000, 50],
    [900, 50],
    [5000, 95],
    [300, 5],
  ]) {
    viewer.bytes = bytes;
    assert.equal(jpeg.target(), at);
  }
  viewer.reached = undefined; // the other's file is still to come
  assert.equal(jpeg.target(), 50);
});

test("the same PSNR is the smallest file that reaches it, else the best there is", () => {
  const db = { 5: 24, 50: 31, 95: "inf" };
  viewer.ladders.jpeg = ladderWith(JPEG.map((frame) => ({ ...frame, psnr_db: db[frame.at] })));
  const jpeg = pane({ codec: "jpeg", follow: "psnr_db" });
  for (const [psnr_db, at] of [
    [20, 5],
    [24, 5],
    [30, 50],
    [40, 95],
  ]) {
    viewer.reached = { psnr_db };
    assert.equal(jpeg.target(), at);
  }
});

test("a match is made finer between the two frames about it, until they are neighbours", () => {
  const mae = pane({ codec: "mae", follow: "bytes" });
  viewer.bytes = 596; // between those of 64 (564 bytes) and 128 (628)
  assert.equal(mae.target(), 64);
  assert.deepEqual(mae.exact, [96]);
  viewer.ladders.mae = ladderWith([...MAE, ...[96, 97].map((at) => ({ ...MAE[0], at, bytes: 499.5 + at }))]);
  assert.equal(mae.target(), 96);
  assert.deepEqual(mae.exact, []);
  viewer.bytes = 9000; // beyond the last
  assert.deepEqual(mae.exact, []);
});

test("the frame on show is the nearest that is here; it waits for the one at hand", () => {
  viewer.ladders.mae = ladderWith(MAE, [0]);
  const mae = pane({ codec: "mae" });
  const [want] = mae.resolve();
  assert.deepEqual([mae.at, mae.frame.at, mae.waiting], [100, 0, true]);
  assert.deepEqual([want.kind, want.at, want.shown], ["picture", 100, "0.webp"]);
  viewer.ladders.mae = ladderWith(MAE);
  viewer.index = 64;
  mae.resolve();
  assert.deepEqual([mae.frame.at, mae.waiting], [64, false]);
  viewer.index = 70; // between two frames: the exact one is to come, where there is somebody to make it
  mae.resolve();
  assert.deepEqual([mae.frame.at, mae.waiting], [64, true]);
  viewer.manifest.static = true;
  mae.resolve();
  assert.equal(mae.waiting, false);
});

test("a layer needs its map, the original or its base beside it", () => {
  const kinds = (layer) =>
    pane({ codec: "mae", layer, base: 0 })
      .resolve()
      .map(({ kind, at }) => [kind, at]);
  assert.deepEqual(kinds("difference"), [
    ["picture", 100],
    ["picture", 0],
  ]);
  assert.deepEqual(kinds("bits"), [["bits", 100]]);
  assert.deepEqual(kinds("ratio"), [
    ["y", 100],
    ["y", 0],
  ]);
});

test("a pane waits for what its frame is compared with", () => {
  const waits = (layer, base = 0) => {
    const one = pane({ codec: "mae", layer, base });
    viewer.index = 64;
    one.resolve();
    return [one.frame.at, one.waiting];
  };
  assert.deepEqual(
    ["difference", "ratio", "y"].map((layer) => waits(layer)),
    Array(3).fill([64, false]),
  );
  viewer.original = ladderWith([{ at: 0, file: "original.webp" }], []);
  viewer.ladders.mae = ladderWith(MAE, [64, 128]);
  assert.deepEqual(
    ["difference", "ratio", "y"].map((layer) => waits(layer)),
    [
      [64, true],
      [64, true],
      [64, false],
    ],
  );
  assert.deepEqual(pane({ codec: "mae", layer: "ratio", base: 0 }).divisor, [0]); // made before others
});

test("a match waits until files on both sides of it are known, or that there are none", () => {
  const jpeg = pane({ codec: "jpeg" });
  const waits = (bytes, ...ats) => {
    viewer.bytes = bytes;
    viewer.ladders.jpeg = ladderWith(JPEG.filter(({ at }) => ats.includes(at)));
    viewer.ladders.jpeg.info.total = 3;
    return jpeg.oneSided;
  };
  assert.deepEqual([waits(1000, 50), waits(1000, 5, 50), waits(1000, 50, 95)], [true, true, false]);
  assert.deepEqual([waits(9000, 50, 95), waits(100, 50, 95), waits(100, 5, 50)], [false, true, false]);
  assert.equal(waits(1000, 5, 50, 95), false);
});

test("a ratio divides by a rate of the codec's own axis", () => {
  const scaled = pane({ codec: "scaled", layer: "ratio" });
  assert.deepEqual(
    scaled.bases,
    [0.1, 0.5, 1].map((at) => [at, `scale ${at}`]),
  );
  assert.equal(scaled.base, 0.1);
  scaled.choose({ base: "0.5" });
  assert.equal(scaled.base, 0.5);
  assert.equal(scaled.resolve()[1].at, 0.5);
  scaled.choose({ codec: "mae" });
  viewer.trainedMarks = () => [[64, 128]];
  assert.deepEqual([scaled.bases, scaled.base], [[[64, "λ 128"]], 0]);
});

test("layers that a codec has not are not shown", () => {
  assert.deepEqual(pane({ codec: "mae" }).layers, ["picture", "difference", "bits", "y", "ratio"]);
  assert.deepEqual(pane({ codec: "independent" }).layers, ["picture", "difference", "bits", "y"]);
  assert.deepEqual(pane({ codec: "jpeg" }).layers, ["picture", "difference"]);
  assert.equal(pane({ codec: "original", layer: "y" }).layer, "picture");
  viewer.whole = true;
  assert.equal(pane({ codec: "mae", layer: "y" }).layer, "picture");
});

test("panes that show one channel go on together", () => {
  const [one, two, other] = [{}, {}, { channel: 9 }].map((state) => pane({ codec: "mae", layer: "y", ...state }));
  one.choose({ channel: "5" });
  assert.deepEqual([one.channel, two.channel, other.channel], [5, 5, 9]);
});

test("another codec takes λ or the bytes again; a rate of one's own starts where the pane is", () => {
  const one = pane({ codec: "mae", layer: "bits" });
  one.resolve();
  one.choose({ follow: "own" });
  assert.deepEqual([one.follow, one.state.own, one.exact], ["own", 100, [100]]);
  one.choose({ codec: "jpeg" });
  assert.deepEqual([one.follow, one.state.own, one.exact, one.layer], ["bytes", null, [51], "picture"]);
});

test("of a codec that is not there the first is shown", () =>
  assert.equal(pane({ codec: "vvc" }).codec.id, "original"));
