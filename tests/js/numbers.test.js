import assert from "node:assert/strict";
import test from "node:test";
import { bytesText, csv, decibels, lambdaText, percent, rateText, short } from "../../mae_viz/viewer/js/numbers.js";

const says = (text, cases) => {
  for (const [value, expected] of cases) assert.equal(text(value), expected);
};

test("three digits and a true minus sign", () => {
  says(short, [
    [0, "0.00"],
    [1234.6, "1\u202f235"],
    [-99.96, "−100.0"],
    [12.34, "12.3"],
    [0.1, "0.10"],
    [0.01234, "0.012"],
  ]);
  says(short, [
    [-0.00098765, "−0.00099"],
    [-0.0000024, "−2.4·10⁻⁶"],
    [445163704499, "4.5·10¹¹"],
    [Infinity, "∞"],
    [-Infinity, "n/a"],
    [NaN, "n/a"],
  ]);
});

test("λ", () =>
  says(lambdaText, [
    [64, "64"],
    [4096, "4096"],
    [702.2, "702.2"],
    [71.803, "71.8"],
    [1448.15, "1448"],
  ]));

test("quality", () =>
  says(decibels, [
    [31.256, "31.26\u202fdB"],
    ["inf", "∞"],
    [undefined, "n/a"],
  ]));

test("bytes", () =>
  says(bytesText, [
    [12345678, "12\u202f345\u202f678"],
    [7, "7"],
    [undefined, "–"],
  ]));

test("shares", () => {
  says(percent, [
    [0, "0\u202f%"],
    [0.0004, "under 0.1\u202f%"],
    [0.0123, "1.2\u202f%"],
    [0.5, "50\u202f%"],
    [1, "100\u202f%"],
    [Infinity, "n/a"],
  ]);
});

test("the rate of a frame in words", () => {
  assert.equal(rateText({ axis: "lmbda" }, { at: 192, lmbda: 512 }), "λ 512");
  assert.equal(rateText({ axis: "quality", unit: "quality" }, { at: 40 }), "quality 40");
  assert.equal(rateText({ axis: "none" }, { at: 0 }), "");
  assert.equal(rateText({ axis: "lmbda" }, undefined), "");
});

test("every frame is a row of the CSV, by rising rate, with what needs quotes in quotes", () => {
  const original = { id: "original", title: "Original", axis: "none", about: "the picture itself, 24 bits" };
  const mae = { id: "mae", title: "MAE", axis: "lmbda", about: 'called "MAE"' };
  const jpeg = { id: "jpeg", title: "JPEG", axis: "quality", about: "Pillow" };
  const frames = [
    { at: 64, lmbda: 128, bytes: 900, bpp: 0.3, estimated_bpp: 0.29, psnr_db: 30.5, ms_ssim_db: "inf" },
    { at: 0, lmbda: 64, bytes: 500, bpp: 0.2, estimated_bpp: 0.19, psnr_db: 29 },
  ];
  const ladder = { frames };
  const panes = [
    { codec: original, ladder: { frames: [{ at: 0, file: "0.webp" }] }, frame: undefined },
    { codec: mae, ladder, frame: frames[0] },
    { codec: mae, ladder, frame: frames[0] },
    {
      codec: jpeg,
      ladder: { frames: [{ at: 40, bytes: 700, bpp: 0.25, psnr_db: 28, ms_ssim_db: 12 }] },
      frame: undefined,
    },
  ];
  assert.deepEqual(csv("Coffee, hot", panes).split("\r\n"), [
    "picture,codec,axis,rate,shown,bytes,bpp,estimated_bpp,psnr_db,ms_ssim_db,model",
    '"Coffee, hot",Original,none,,,,,,,,"the picture itself, 24 bits"',
    '"Coffee, hot",MAE,lmbda,64,,500,0.2,0.19,29,,"called ""MAE"""',
    '"Coffee, hot",MAE,lmbda,128,yes,900,0.3,0.29,30.5,inf,"called ""MAE"""',
    '"Coffee, hot",JPEG,quality,40,,700,0.25,,28,12,Pillow',
    "",
  ]);
  frames[0].further = { vmaf: 91.5 };
  assert.deepEqual(csv("Coffee", panes.slice(1, 2), ["vmaf"]).split("\r\n"), [
    "picture,codec,axis,rate,shown,bytes,bpp,estimated_bpp,psnr_db,ms_ssim_db,vmaf,model",
    'Coffee,MAE,lmbda,64,,500,0.2,0.19,29,,,"called ""MAE"""',
    'Coffee,MAE,lmbda,128,yes,900,0.3,0.29,30.5,inf,91.5,"called ""MAE"""',
    "",
  ]);
});
