// What λ multiplies each channel by: computed from the small perceptrons, as mae_viz/layers.py does.
import { LMBDA_MAX, LMBDA_MIN } from "./rates.js";

/** A function λ → {layer: Float32Array (C)} of a model. `layers`: its modulated layers; `tensor`: name →
 *  {shape, values}. */
export function gainsOf(layers, tensor) {
  const made = layers.map((name) => [
    name,
    (name === "s" ? scales : perceptron)((part) => tensor(`gains.${name}.${part}`)),
  ]);
  return (lmbda) => Object.fromEntries(made.map(([name, gains]) => [name, gains(lmbda)]));
}

/** exp(W₂ · relu(W₁ · λ / 4096 + b₁) + b₂). */
function perceptron(tensor) {
  const [w1, b1, w2, b2] = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"].map((part) => tensor(part).values);
  return (lmbda) => {
    const hidden = Float64Array.from(b1, (bias, i) => Math.max(0, (w1[i] * lmbda) / LMBDA_MAX + bias));
    return Float32Array.from(b2, (bias, c) => {
      let sum = bias;
      for (let i = 0; i < hidden.length; i++) sum += w2[c * hidden.length + i] * hidden[i];
      return Math.exp(sum);
    });
  };
}

/** Scales of trained λ, log s in straight lines over log λ between them. */
function scales(tensor) {
  const octaves = tensor("octaves").values;
  const { shape, values } = tensor("log_scale");
  const [, channels] = shape;
  return (lmbda) => {
    const t = Math.log2(lmbda / LMBDA_MIN);
    let upper = octaves.findIndex((octave) => octave >= t - 1e-9);
    if (upper < 0) upper = octaves.length - 1;
    const lower = Math.max(0, octaves[upper] > t ? upper - 1 : upper);
    const share = upper > lower ? (t - octaves[lower]) / (octaves[upper] - octaves[lower]) : 0;
    const at = (row, c) => values[row * channels + c];
    return Float32Array.from({ length: channels }, (_, c) =>
      Math.exp(at(lower, c) + share * (at(upper, c) - at(lower, c))),
    );
  };
}
