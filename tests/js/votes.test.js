// Codes of the blind test.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, interval, pooled } from "../../mae_viz/browser/js/votes.js";

test("a code says what it was made of", () => {
  for (let i = 0; i < 2000; i++) {
    const counts = { first: i % 64, second: (7 * i) % 64, neither: (31 * i) % 64 };
    const who = (2654435761 * i) % 4096;
    const code = encode(counts, who);
    assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    assert.deepEqual(decode(code), { ...counts, who });
    assert.deepEqual(decode(code.toLowerCase().replaceAll("0", "o").replaceAll("1", "l")), { ...counts, who });
  }
});

test("what was misread is no code", () => {
  const code = encode({ first: 5, second: 3, neither: 1 }, 777);
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let seen = 0;
  for (let i = 0; i < code.length; i++) {
    if (code[i] === "-") continue;
    for (const letter of letters) {
      if (letter === code[i]) continue;
      if (decode(code.slice(0, i) + letter + code.slice(i + 1)) === null) seen++;
    }
  }
  assert.equal(seen, 8 * 31);
  for (const none of ["", "1234", "????-????", "1234-56789"]) assert.equal(decode(none), null);
});

test("the codes of a room are added up, each once", () => {
  const codes = [encode({ first: 3, second: 1, neither: 2 }, 1), encode({ first: 3, second: 1, neither: 2 }, 2)];
  const bare = codes[0].replace("-", "");
  const sum = pooled(`Together, Anna: ${codes[0]}, Ben ${codes[1].toLowerCase()}; again ${bare}; 0000-0001`);
  assert.deepEqual(sum, { people: 2, first: 6, second: 2, neither: 4, wrong: ["0000-0001"] });
});

test("more answers than a code can hold are told as the most that it holds", () => {
  assert.equal(decode(encode({ first: 99, second: 0, neither: 0 }, 0)).first, 63);
});

test("intervals are Wilson's", () => {
  const [low, high] = interval(7, 10);
  assert.ok(Math.abs(low - 0.3968) < 1e-3 && Math.abs(high - 0.8922) < 1e-3);
  assert.deepEqual(interval(0, 0), [0, 1]);
});
