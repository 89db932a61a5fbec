// A person's answers of the blind test as a code of eight characters, and the codes of a whole room added up. Nothing
// is sent anywhere: who collects them reads them, or is given them.

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // base 32 without I, L, O, U
const LIKE = { O: "0", I: "1", L: "1" };
const MOST = 63; // of each answer
const DATA = 6; // letters, and two by which misreading is seen
/** What a code in a text looks like; without its hyphen, it may be a word as well. */
const CODE = /\b[0-9A-Z]{4}-?[0-9A-Z]{4}\b/g;

/** The code of {first, second, neither}, counts of preferences, and `who`: a number 0…4095 drawn by chance, by which a
 *  code that is given twice is seen. */
export function encode({ first, second, neither }, who) {
  const values = [who, ...[first, second, neither].map((count) => Math.min(MOST, count))];
  const bits = values.map((value, i) => value.toString(2).padStart(i ? 6 : 12, "0")).join("");
  const digits = Array.from({ length: DATA }, (_, i) => Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2));
  const text = [...digits, ...checks(digits)].map((digit) => LETTERS[digit]).join("");
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

/** Of six digits: their sum, each with its own weight, and what all seven are together by exclusive or. Any one changed
 *  letter is seen, and two neighbours that changed places. */
function checks(digits) {
  const weighted = digits.reduce((sum, digit, i) => sum + (i + 1) * digit, 0) % 31;
  return [weighted, digits.reduce((sum, digit) => sum ^ digit, weighted)];
}

/** What a code says, {first, second, neither, who}; null for what is none. */
export function decode(code) {
  const digits = [...code.toUpperCase().replace("-", "")].map((c) => LETTERS.indexOf(LIKE[c] ?? c));
  if (digits.length !== DATA + 2 || digits.includes(-1)) return null;
  const data = digits.slice(0, DATA);
  if (checks(data).some((check, i) => check !== digits[DATA + i])) return null;
  const bits = data.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  const [who, first, second, neither] = [0, 12, 18, 24].map((from, i) =>
    Number.parseInt(bits.slice(from, from + (i ? 6 : 12)), 2),
  );
  return { first, second, neither, who };
}

/** All codes in a text, each once, added up: {people, first, second, neither, wrong}; `wrong`: codes that are none. */
export function pooled(text) {
  const written = text.toUpperCase().match(CODE) ?? [];
  const codes = new Set(written.map((code) => `${code.slice(0, 4)}-${code.slice(-4)}`));
  const sum = { people: 0, first: 0, second: 0, neither: 0, wrong: [] };
  for (const code of codes) {
    const found = decode(code);
    if (!found) {
      if (written.includes(code)) sum.wrong.push(code);
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
