import assert from "node:assert/strict";
import { test } from "node:test";
import { balance, bytesAt, curveOf, headline, price, stretches, toMeasure } from "../../mae_viz/viewer/js/headline.js";

const file = (bytes, psnr_db, ms_ssim_db) => ({ bytes, bpp: bytes / 1000, psnr_db, ms_ssim_db, file: `${bytes}.webp` });
const codec = (title, ...files) => ({ title, short: title, frames: files.map((values) => file(...values)) });
const A = codec("A", [100, 20, 10], [200, 25, 13], [400, 30, 16]);

test("between two files log bytes are a straight line over dB", () => {
  const curve = curveOf(A.frames.toReversed(), "psnr_db");
  assert.equal(bytesAt(curve, "psnr_db", 20), 100);
  assert.equal(bytesAt(curve, "psnr_db", 30), 400);
  assert.ok(Math.abs(bytesAt(curve, "psnr_db", 22.5) - 100 * Math.SQRT2) < 1e-9);
  assert.equal(bytesAt(curve, "psnr_db", 19.9), null);
  assert.equal(bytesAt(curve, "psnr_db", 30.1), null);
});

test("files without a finite value are no part of a curve", () => {
  assert.deepEqual(curveOf([file(1, "inf", 1), { psnr_db: 30 }, file(2, 30)], "psnr_db"), [file(2, 30)]);
});

test("the sentence takes its verbs from the files", () => {
  const said = (...files) => headline(A, codec("B", ...files), A.frames[1], "λ 128")?.text;
  const start = "A at λ 128: 200\u202fbytes. B";
  assert.equal(
    said([110, 20, 10], [220, 25, 13], [440, 30, 16]),
    `${start} pays 10\u202f% more for the same PSNR (220\u202fbytes) and ` +
      "10\u202f% more for the same MS-SSIM (220\u202fbytes).",
  );
  assert.equal(
    said([90, 20, 9], [180, 25, 12], [220, 30, 13]),
    `${start} saves 10\u202f% for the same PSNR (180\u202fbytes) and ` +
      "pays 10\u202f% more for the same MS-SSIM (220\u202fbytes).",
  );
  assert.equal(
    said([100.5, 20, 20], [200.5, 25, 21]),
    `${start} cannot go this low in MS-SSIM: its smallest file has 100.5\u202fbytes (−50\u202f%) and needs the same ` +
      "bytes for the same PSNR.",
  );
  assert.equal(said([50, 20], [100, 24]), `${start} never reaches this PSNR.`);
  assert.equal(said(), undefined);
});

test("where the sign changes is found between the files", () => {
  const rival = codec("B", [110, 20], [200 / 1.1, 25], [400 / 1.2, 30]);
  const [pays, saves] = stretches(A.frames, rival.frames, "psnr_db");
  assert.deepEqual([pays.pays, pays.count, saves.pays, saves.count], [true, 1, false, 2]);
  assert.ok(Math.abs(pays.to - 0.1 * Math.SQRT2) < 1e-9); // as far above A at the one end as below it at the other
  assert.equal(pays.to, saves.from);
  assert.equal(
    balance(A, rival),
    "PSNR: B pays up to 10\u202f% more below 0.14\u202fbpp and saves up to 17\u202f% above.",
  );
});

test("one sign over all rates, and many changes, are said otherwise", () => {
  const dearer = codec("B", [110, 20], [220, 25], [480, 30]);
  assert.equal(balance(A, dearer), "PSNR: B pays at every rate compared, up to 20\u202f% more.");
  const mixed = codec("B", [110, 20], [180, 25], [480, 30]);
  assert.equal(
    balance(A, mixed),
    "PSNR: B pays at 2 rates, up to 20\u202f% more, and saves at 1 rate, up to 10\u202f%.",
  );
});

test("a price waits for the two files about the same quality, and for no others", () => {
  const grid = Array.from({ length: 25 }, (_, i) => 16 * i);
  const all = grid.map((at) => ({ at, ...file(100 * 2 ** (at / 64), 20 + at / 20) }));
  for (const value of [18, 20, 22.3, 31, 39.2, 45]) {
    const there = [all[4]];
    for (let next = 0; next !== null; next = toMeasure(grid, there, "psnr_db", value))
      if (!there.includes(all[next / 16])) there.push(all[next / 16]);
    assert.ok(there.length < 9, `${there.length} files for ${value} dB`);
    const mine = { bytes: 500, psnr_db: value };
    assert.deepEqual(price(mine, there, "psnr_db"), price(mine, all, "psnr_db"));
  }
  assert.equal(toMeasure(grid, all, "ms_ssim_db", undefined), null); // nothing to compare
  assert.equal(toMeasure(grid, [], "psnr_db", 30), 192);
  const bent = [all[2], { ...all[8], psnr_db: 19 }]; // a better rate is worse: all files count
  assert.equal(toMeasure(grid, bent, "psnr_db", 21), 0);
});
