// Rounding as Python, numpy and torch do it.

const SHIFT = 1.5 * 2 ** 52; // beyond it no number has fractional bits

/** The nearest whole number, of two the even one; |v| below 2^51. */
export const roundEven = (v) => v + SHIFT - SHIFT;
