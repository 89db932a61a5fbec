// Entropy tables in integers, those of a λ between two trained ones too: mae_viz/coding/entropy_tables.py says how.
// Every product stays below 2^53, so that JavaScript's numbers hold it exactly.
import { WHOLE } from "./range_coder.js";

const TOTAL = 65536; // of the frequencies of one table
const LIMIT = 16 * 65536; // of logits, 16 fractional bits
const PER_ENTRY = 1024; // steps of a logit to an entry of the table of σ
const SIGMOID_SHIFT = 14; // from its 30 bits to 16
const KEPT = 8; // rates whose tables stay in memory

/** The integer model of one channel, or of one scale, at one λ. */
export class Frequencies {
  /** `first`: the lowest symbol; `counts`: frequencies of the symbols from there and last of the escape. They add up to
   *  65536. */
  constructor(first, counts) {
    this.first = first;
    /** The escape: the entry that stands for all symbols outside the table. */
    this.outside = counts.length - 1;
    /** Where the coder's interval of each entry begins, and last where all end. */
    this.bounds = new Uint32Array(counts.length + 1);
    let sum = 0;
    let most = 0;
    counts.forEach((count, i) => {
      this.bounds[i] = Math.floor((sum * (WHOLE - counts.length)) / TOTAL) + i;
      sum += count;
      most = Math.max(most, count);
    });
    this.bounds[counts.length] = WHOLE;
    /** What its most frequent symbol costs. */
    this.leastBits = 16 - Math.log2(most);
  }
}

/** The tables of one model: of its channels, or of the scales of a hyperprior. */
export class EntropyTables {
  #kept = new Map();

  /** `tensor`: name → values of logits, first, symbols, sigmoid and rows, Int32Arrays. */
  constructor(tensor) {
    this.logits = tensor("logits");
    this.first = tensor("first");
    this.symbols = tensor("symbols");
    this.sigmoid = tensor("sigmoid");
    this.rows = tensor("rows");
    this.edges = this.symbols.reduce((sum, n) => sum + n + 1, 0);
    if (this.rows.length * this.edges !== this.logits.length)
      throw new Error("the entropy tables of this model contradict each other: load them again.");
  }

  /** Frequencies of every channel at a rate index. Throws a RangeError for one outside the rows. */
  at(index) {
    let found = this.#kept.get(index);
    if (!found) {
      found = this.#made(index);
      if (this.#kept.size === KEPT) this.#kept.delete(this.#kept.keys().next().value);
      this.#kept.set(index, found);
    }
    return found;
  }

  #made(index) {
    const { below, a, b } = between(this.rows, index);
    const low = this.logits.subarray(below * this.edges, (below + 1) * this.edges);
    const high = index > a ? this.logits.subarray((below + 1) * this.edges, (below + 2) * this.edges) : low;
    const cumulative = new Int32Array(this.edges);
    for (let i = 0; i < this.edges; i++)
      cumulative[i] = this.#sigmoid16(
        index > a ? Math.floor(((b - index) * low[i] + (index - a) * high[i]) / (b - a)) : low[i],
      );
    let start = 0;
    return Array.from(this.symbols, (n, channel) => {
      const counts = Array.from({ length: n }, (_, i) => cumulative[start + i + 1] - cumulative[start + i]);
      start += n + 1;
      return frequencies(this.first[channel], counts);
    });
  }

  /** σ of a logit, on a scale of 65536. */
  #sigmoid16(logit) {
    const x = Math.min(Math.max(logit, -LIMIT), LIMIT) + LIMIT;
    const entry = Math.floor(x / PER_ENTRY);
    const here = this.sigmoid[entry];
    const after = this.sigmoid[Math.min(entry + 1, this.sigmoid.length - 1)];
    const value = here + Math.floor(((after - here) * (x % PER_ENTRY)) / PER_ENTRY);
    return Math.floor((value + 2 ** (SIGMOID_SHIFT - 1)) / 2 ** SIGMOID_SHIFT);
  }
}

/** The row at or below a rate index: {below: which, a: its own index, b: that of the next, a itself for the last}.
 *  Throws a RangeError for an index outside the rows. */
export function between(rows, index) {
  const last = rows.length - 1;
  if (!(index >= rows[0] && index <= rows[last]))
    throw new RangeError(`rate index ${index} is outside this model's ${rows[0]}…${rows[last]}.`);
  let below = last;
  while (rows[below] > index) below--;
  return { below, a: rows[below], b: rows[Math.min(below + 1, last)] };
}

/** Frequencies from the raw ones of all symbols from `first`: zeros cut off at the ends, ones for those within, and
 *  what is missing to the total for the escape. */
function frequencies(first, raw) {
  const from = raw.findIndex((count) => count !== 0);
  if (from < 0) return new Frequencies(first, [1, TOTAL - 1]); // every symbol is coded with the escape
  let counts = raw.slice(from, raw.findLastIndex((count) => count !== 0) + 1).map((count) => Math.max(count, 1));
  counts.push(Math.max(1, TOTAL - sumOf(counts)));
  const top = counts.indexOf(counts.slice(0, -1).reduce((a, b) => Math.max(a, b)));
  let excess = sumOf(counts) - TOTAL;
  if (2 * excess > counts[top]) {
    // so wide that its ones are more than the most frequent symbol can pay
    const above = sumOf(counts) - counts.length;
    const room = TOTAL - counts.length;
    counts = counts.map((count) => 1 + Math.floor(((count - 1) * room) / above));
    excess = sumOf(counts) - TOTAL;
  }
  counts[top] -= excess;
  return new Frequencies(first + from, counts);
}

const sumOf = (counts) => counts.reduce((sum, count) => sum + count, 0);
