import assert from "node:assert/strict";
import test from "node:test";
import { colours, range, ratioOf, scale } from "../../mae_viz/viewer/js/colour.js";

/** RGBA of each value, as hexadecimal digits. */
const hex = (...given) => {
  const bytes = new Uint8Array(colours(...given).buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    Buffer.from(bytes.subarray(4 * i, 4 * i + 4)).toString("hex"),
  );
};

test("bits run from the first stop to the last, and no farther", () => {
  assert.deepEqual(hex("bits", [-1, 0, 8, 9], 8), ["0b1033ff", "0b1033ff", "fff2a8ff", "fff2a8ff"]);
  // level 128 of 255 lies 128 / 255 · 5 = 2.5098 stops from the first: 0.5098 of the way from 2c6e8f to 4fa58a
  assert.deepEqual(hex("bits", [4], 8), ["3e8a8cff"]);
});

test("y is told apart by its sign, equally far to both sides", () => {
  assert.deepEqual(hex("y", [-2.5, 2.5], 2.5), ["123b7aff", "7a2f08ff"]);
  assert.deepEqual(hex("y", [0], 2.5), ["f6f4efff"]); // level 128: 0.0078 of the way from f6f5f0 to dd8a3c
});

test("a ratio's colours reach from a quarter of the mean to four times it, negative ones in a map of their own", () => {
  assert.deepEqual(hex("ratio", [0.5, 8, 100], 2), ["123b7aff", "7a2f08ff", "7a2f08ff"]);
  assert.deepEqual(hex("ratio", [-0.5, -8], 2), ["ffd9eeff", "8f0a5cff"]);
  assert.deepEqual(hex("ratio", [-0.5, 8], -2), ["ffd9eeff", "7a2f08ff"]);
  assert.deepEqual(hex("ratio", [NaN], 2), ["00000000"]);
});

test("the ratio of two planes, by hand", () => {
  const { values, masked, negative, mean, constancy } = ratioOf([2, 6, -1, 5], [1, 2, 1, 0.01], 0.05);
  assert.deepEqual([...values], [2, 3, -1, NaN]);
  assert.equal(masked, 1 / 4);
  assert.equal(negative, 1 / 3);
  // weights 1, 4, 1: mean (2 + 12 − 1) / 6, squares about it (1 + 4 · 25 + 361) / 36
  assert.ok(Math.abs(mean - 13 / 6) < 1e-12);
  assert.ok(Math.abs(constancy - Math.sqrt(462 / 36 / 6) / (13 / 6)) < 1e-12);
});

test("one factor everywhere is constant; a channel that is off has no ratio", () => {
  assert.equal(ratioOf([3, -6, 9], [1, -2, 3], 0.05).constancy, 0);
  const { values, masked, negative, mean } = ratioOf([1, 2], [0, 0], 0.05);
  assert.deepEqual([...values], [NaN, NaN]);
  assert.deepEqual([masked, negative, mean], [1, 0, NaN]);
});

test("the range of a plane", () => assert.deepEqual(range(new Float32Array([0.5, -3, 2])), [-3, 2]));

test("the scale says what the ends of the colours are", () => {
  assert.deepEqual(scale("bits", 12.34).labels, ["0", "", "12.3\u202fbits"]);
  assert.deepEqual(scale("y", 2.5).labels, ["−2.50", "0", "2.50"]);
  const { labels, css, second } = scale("ratio", 8);
  assert.deepEqual(labels, ["2.00", "mean 8.00", "32.0"]);
  assert.equal(css, "linear-gradient(to right, #123b7a, #5b8fc9, #f6f5f0, #dd8a3c, #7a2f08)");
  assert.equal(second, "linear-gradient(to right, #ffd9ee, #ee4fa6, #8f0a5c)");
});
