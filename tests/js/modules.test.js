import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";

const folder = new URL("../../mae_viz/viewer/js/", import.meta.url);

for (const name of readdirSync(folder))
  test(`${name} needs no page before it is used`, async () => {
    assert.equal(globalThis.document, undefined);
    assert.notDeepEqual(Object.keys(await import(new URL(name, folder))), []);
  });
