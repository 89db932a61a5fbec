// A person's answers of the blind test as a code of eight characters, and the codes of a whole room added up. Nothing
// is sent anywhere: who collects them reads them, or is given them.

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // base 32 without I, L, O, U
const LIKE = { O: "0", I: "1", L: "1" };
const MOST = 63; // of each answer
const BASE = 32n;
const CHECK = 1021n; // a prime: one changed character, or two that changed places, is seen
const LENGTH = 8;
/** What a code in a text looks like. */
const CODE = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/g;

/** The code of {first, second, neither}, counts of preferences, and `who`: a number 0…4095 drawn by chance, by which a
 *  code that is given twice is seen. */
export function encode({ first, second, neither }, who) {
  const counts = [first, second, neither].map((count) => BigInt(Math.min(MOST, count)));
  let value = counts.reduce((sum, count) => sum * 64n + count, BigInt(who));
  value = value * CHECK + (value % CHECK);
  let text = "";
  for (let i = 0; i < LENGTH; i++, value /= BASE) text = LETTERS[Number(value % BASE)] + text;
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

/** What a code says, {first, second, neither, who}; null for what is none. */
export function decode(code) {
  const letters = [...code.toUpperCase().replace("-", "")].map((c) => LETTERS.indexOf(LIKE[c] ?? c));
  if (letters.length !== LENGTH || letters.includes(-1)) return null;
  const packed = letters.reduce((sum, letter) => sum * BASE + BigInt(letter), 0n);
  let value = packed / CHECK;
  if (value % CHECK !== packed % CHECK) return null;
  const counts = [];
  for (let i = 0; i < 3; i++, value /= 64n) counts.unshift(Number(value % 64n));
  const [first, second, neither] = counts;
  return value < 4096n ? { first, second, neither, who: Number(value) } : null;
}

/** All codes in a text, each once, added up: {people, first, second, neither, wrong}; `wrong`: codes that are none. */
export function pooled(text) {
  const codes = new Set(text.toUpperCase().match(CODE) ?? []);
  const sum = { people: 0, first: 0, second: 0, neither: 0, wrong: [] };
  for (const code of codes) {
    const found = decode(code);
    if (!found) {
      sum.wrong.push(code);
      continue;
    }
    sum.people++;
    for (const name of ["first", "second", "neither"]) sum[name] += found[name];
  }
  return sum;
}

/** The 95 % interval of a share of which `count` of `all` were drawn (Wilson 1927). */
export function interval(count, all) {
  if (!all) return [0, 1];
  const z = 1.959964;
  const share = count / all;
  const middle = share + z ** 2 / (2 * all);
  const reach = z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  return [middle - reach, middle + reach].map((v) => Math.min(1, Math.max(0, v / (1 + z ** 2 / all))));
}
