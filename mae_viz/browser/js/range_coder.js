// The range coder of constriction (`stream.queue`): 64 bits of state, words of 32 bits, 24 bits of probability. What it
// does is specified in mae_viz/coding/bitstream.py. A 64-bit number is kept as two halves, each a whole number below
// 2^32, since JavaScript's numbers are exact to 2^53 and BigInt would be twenty times slower.

export const PRECISION = 24;
/** Where the interval of the last entry ends. */
export const WHOLE = 2 ** PRECISION;

const WORD = 2 ** 32;

let productHigh = 0;
let productLow = 0;

/** factor · (range >> 24), below 2^64, into productHigh and productLow; factor: 0…2^24. */
function scaled(factor, rangeHigh, rangeLow) {
  const scaleLow = ((rangeHigh << 8) | (rangeLow >>> 24)) >>> 0; // of 40 bits
  const a = factor * (scaleLow & 0xffff);
  const b = factor * (scaleLow >>> 16);
  const low = a + (b % 65536) * 65536;
  productLow = low >>> 0;
  productHigh = factor * (rangeHigh >>> 24) + Math.floor(b / 65536) + Math.floor(low / WORD);
}

/** Writes symbols, each as the interval that its table gives it. */
export class RangeEncoder {
  constructor() {
    this.words = new Uint32Array(1024);
    this.length = 0;
    this.lowerHigh = 0;
    this.lowerLow = 0;
    this.rangeHigh = WORD - 1;
    this.rangeLow = WORD - 1;
    // words that a carry may yet change: how many, and the first of them; those after it are all ones
    this.waiting = 0;
    this.first = 0;
  }

  /** The symbol that owns the interval from `low` to `high`, 0 ≤ low < high ≤ 2^24. */
  encode(low, high) {
    scaled(low, this.rangeHigh, this.rangeLow);
    const sum = this.lowerLow + productLow;
    let lowerLow = sum >>> 0;
    let lowerHigh = this.lowerHigh + productHigh + (sum >= WORD ? 1 : 0);
    const carry = lowerHigh >= WORD;
    if (carry) lowerHigh -= WORD;
    scaled(high - low, this.rangeHigh, this.rangeLow);
    let rangeHigh = productHigh;
    let rangeLow = productLow;
    if (this.waiting && fits(lowerHigh, lowerLow, rangeHigh, rangeLow)) this.#settle(carry);
    if (rangeHigh === 0) {
      const word = lowerHigh;
      lowerHigh = lowerLow;
      lowerLow = 0;
      rangeHigh = rangeLow;
      rangeLow = 0;
      if (this.waiting) this.waiting++;
      else if (fits(lowerHigh, lowerLow, rangeHigh, rangeLow)) this.#write(word);
      else {
        this.waiting = 1;
        this.first = word;
      }
    }
    this.lowerHigh = lowerHigh;
    this.lowerLow = lowerLow;
    this.rangeHigh = rangeHigh;
    this.rangeLow = rangeLow;
  }

  /** The payload so far, as words; nothing can be encoded after it. */
  finish() {
    if (this.rangeHigh !== WORD - 1 || this.rangeLow !== WORD - 1) {
      // the shortest word that lies in the range, whatever follows it
      const sum = this.lowerLow + (WORD - 1);
      let point = this.lowerHigh + (sum >= WORD ? 1 : 0);
      const carry = point >= WORD;
      if (carry) point -= WORD;
      if (this.waiting) this.#settle(carry);
      this.#write(point);
      const upper = this.lowerHigh + this.rangeHigh + (this.lowerLow + this.rangeLow >= WORD ? 1 : 0);
      if (upper % WORD === point) this.#write(0);
    }
    return this.words.slice(0, this.length);
  }

  /** Write the words that waited, now that it is known whether something is carried into them. */
  #settle(carry) {
    this.#write(carry ? this.first + 1 : this.first);
    for (let i = 1; i < this.waiting; i++) this.#write(carry ? 0 : WORD - 1);
    this.waiting = 0;
  }

  #write(word) {
    if (this.length === this.words.length) {
      const longer = new Uint32Array(2 * this.length);
      longer.set(this.words);
      this.words = longer;
    }
    this.words[this.length++] = word;
  }
}

/** Whether lower + range stays below 2^64. */
function fits(lowerHigh, lowerLow, rangeHigh, rangeLow) {
  return lowerHigh + rangeHigh + (lowerLow + rangeLow >= WORD ? 1 : 0) < WORD;
}

/** Reads what `RangeEncoder` wrote, given the same tables in the same order. */
export class RangeDecoder {
  constructor(words) {
    this.words = words;
    this.position = 2;
    this.rangeHigh = WORD - 1;
    this.rangeLow = WORD - 1;
    // how far the point lies above the lower end
    this.offsetHigh = words[0] ?? 0;
    this.offsetLow = words[1] ?? 0;
  }

  /** The entry whose interval holds the next symbol, −1 where none does: no encoder has written these words. `bounds`:
   *  where the entries' intervals begin, and last where all end. */
  decode(bounds) {
    const { rangeHigh, rangeLow } = this;
    const scale = rangeHigh * 256 + (rangeLow >>> 24);
    // The quotient is off by one at most, where the offset's last bits are lost to rounding.
    let quantile = Math.floor((this.offsetHigh * WORD + this.offsetLow) / scale);
    if (quantile > WHOLE) return -1;
    scaled(quantile, rangeHigh, rangeLow);
    if (this.#below()) scaled(--quantile, rangeHigh, rangeLow);
    const rest = (this.offsetHigh - productHigh) * WORD + (this.offsetLow - productLow);
    if (rest >= scale) quantile++;
    if (quantile >= WHOLE) return -1;
    let entry = 0;
    for (let end = bounds.length - 1; end - entry > 1; ) {
      const middle = (entry + end) >> 1;
      if (bounds[middle] <= quantile) entry = middle;
      else end = middle;
    }
    const low = bounds[entry];
    scaled(low, rangeHigh, rangeLow);
    let high = this.offsetHigh - productHigh;
    let rest32 = this.offsetLow - productLow;
    if (rest32 < 0) {
      rest32 += WORD;
      high--;
    }
    scaled(bounds[entry + 1] - low, rangeHigh, rangeLow);
    if (productHigh) {
      this.rangeHigh = productHigh;
      this.rangeLow = productLow;
      this.offsetHigh = high;
      this.offsetLow = rest32;
    } else {
      this.rangeHigh = productLow;
      this.rangeLow = 0;
      this.offsetHigh = rest32; // what was above it is 0: the offset lies below the range
      this.offsetLow = this.position < this.words.length ? this.words[this.position] : 0;
      this.position++;
    }
    return entry;
  }

  /** Whether the offset lies below the product. */
  #below() {
    return this.offsetHigh < productHigh || (this.offsetHigh === productHigh && this.offsetLow < productLow);
  }
}
