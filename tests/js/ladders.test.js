// What a page's own ladders are made of, and in which order: mae_viz/browser/js/ladders.js.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ladders } from "../../mae_viz/browser/js/ladders.js";

test("what panes show is made before what stands beside them, whoever asks first; the page hears of each", async () => {
  const asked = [];
  const heard = [];
  let both;
  const done = new Promise((change) => {
    both = change;
  });
  const frame = async ({ codec, at }) => {
    asked.push(`${codec.id} ${at}`);
    return { frame: { at }, files: {}, maps: null };
  };
  const ladders = new Ladders({ frame }, (id) => {
    heard.push(id);
    if (heard.length === 3) both();
  });
  const [beside, shown] = ["beside", "shown"].map((id) =>
    ladders.add("picture", { id, first: 0, last: 384 }, { grid: [], maps: false }),
  );
  ladders.ladder(beside, [64], 0);
  ladders.ladder(shown, [64, 80], 1);
  await done;
  assert.deepEqual(asked, ["shown 64", "beside 64", "shown 80"]);
  assert.deepEqual(heard, [shown, beside, shown]);
  const { frames } = await ladders.ladder(shown);
  assert.deepEqual(
    frames.map(({ at }) => at),
    [64, 80],
  );
});
