import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { nextStep, View } from "../../mae_viz/viewer/js/view.js";

const canvas = { width: 400, height: 300 };
const [small, large] = [
  { width: 150, height: 100 },
  { width: 800, height: 400 },
];
let picture;
let view;
let changes;

beforeEach(() => {
  picture = large;
  changes = 0;
  view = new View(
    () => picture,
    () => canvas,
    () => changes++,
  );
});

/** The picture's point under a canvas point, in fractions of its pixels. */
const under = (x, y) => {
  const { scale, left, top } = view.place(canvas);
  return [(x - left) / scale, (y - top) / scale];
};

test("fit fills one side of the canvas", () => {
  assert.deepEqual(view.place(canvas), { scale: 0.5, left: 0, top: 50 });
  picture = small;
  assert.deepEqual(view.place(canvas), { scale: 400 / 150, left: 0, top: 17 });
});

test("100 % is one picture pixel on one pixel of the canvas", () => {
  view.zoomTo(1);
  assert.deepEqual(view.place(canvas), { scale: 1, left: -200, top: -50 });
  assert.equal(changes, 1);
});

test("a picture larger than the canvas never shows what is beyond its edge", () => {
  view.zoomTo(1);
  Object.assign(view, { x: 0, y: 1 });
  assert.deepEqual(view.place(canvas), { scale: 1, left: 0, top: -100 });
  view.pan(-10_000, 10_000);
  assert.deepEqual(view.place(canvas), { scale: 1, left: -400, top: 0 });
  assert.deepEqual([view.x, view.y], [600 / 800, 150 / 400]); // the middle of what is seen, not of what was asked for
});

test("panning moves the picture by canvas pixels", () => {
  view.zoomTo(2);
  const before = view.place(canvas);
  view.pan(30, -20);
  assert.deepEqual(view.place(canvas), { scale: 2, left: before.left + 30, top: before.top - 20 });
});

test("zooming keeps the picture point under the finger where it is", () => {
  view.zoomTo(1);
  const [x, y] = under(130, 210);
  view.zoomAt(canvas, 130, 210, 4);
  assert.equal(view.zoom, 4);
  const [nowX, nowY] = under(130, 210);
  assert.ok(Math.hypot(nowX - x, nowY - y) < 0.25); // to a pixel of the canvas
});

test("zoom goes by steps, and from the smallest to fit", () => {
  assert.deepEqual(
    [0.5, 1, 3, 8].map((scale) => nextStep(scale, 0.5, 1)),
    [1, 2, 4, 8],
  );
  assert.deepEqual(
    [8, 3, 1, 0.5].map((scale) => nextStep(scale, 0.5, -1)),
    [4, 2, 0, 0],
  );
  assert.equal(nextStep(4, 2.7, -1), 0); // 200 % would be smaller than fit
  view.zoomBy(1);
  assert.equal(view.zoom, 1);
  view.zoomBy(-1);
  assert.equal(view.zoom, 0);
});

test("a pinch ends at the nearest step, near fit at fit", () => {
  for (const [scale, step] of [
    [3.1, 4],
    [1.3, 1],
    [0.54, 0],
    [30, 8],
  ]) {
    view.zoomAt(canvas, 200, 150, scale);
    view.snap(canvas);
    assert.equal(view.zoom, step);
  }
});

test("the pixel under a canvas point", () => {
  picture = small;
  view.zoomTo(2);
  assert.deepEqual(view.pixelAt(canvas, 50, 50), [0, 0]);
  assert.deepEqual(view.pixelAt(canvas, 349, 249), [149, 99]);
  assert.equal(view.pixelAt(canvas, 49, 50), null);
  assert.equal(view.pixelAt(canvas, 350, 249), null);
});

test("from a part to the whole and back, what is in the middle stays", () => {
  Object.assign(view, { x: 0.25, y: 0.5 });
  const whole = { width: 1600, height: 1000 };
  view.move(large, whole, [300, 200]);
  assert.deepEqual([view.x, view.y], [(0.25 * 800 + 300) / 1600, (0.5 * 400 + 200) / 1000]);
  view.move(whole, large, [300, 200]);
  assert.deepEqual([view.x, view.y], [0.25, 0.5]);
});
