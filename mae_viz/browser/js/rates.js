// The rate axis, as mae_viz/rates.py has it: a file names λ on a grid of 1/64 octave from 64 to 4096.

import { roundEven } from "./rounding.js";

export const LMBDA_MIN = 64;
export const LMBDA_MAX = 4096;
const STEPS_PER_OCTAVE = 64;
/** The last rate index: λ = 4096. */
export const LAST_INDEX = 384;

/** λ of a rate index, 0…384. */
export const lmbdaAt = (index) => LMBDA_MIN * 2 ** (index / STEPS_PER_OCTAVE);

/** The rate index nearest to λ. Throws a RangeError where λ lies outside 64…4096 or is no number. */
export function indexNear(lmbda) {
  if (!(lmbda >= LMBDA_MIN && lmbda <= LMBDA_MAX))
    throw new RangeError(`λ = ${lmbda} is outside the trained range: choose 64 ≤ λ ≤ 4096.`);
  return roundEven(STEPS_PER_OCTAVE * Math.log2(lmbda / LMBDA_MIN));
}
