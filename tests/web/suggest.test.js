import assert from "node:assert/strict";
import test from "node:test";

import { matching } from "../../assets/web/components/suggest/matching.js";

const TEXTS = ["a park by the sea", "desert", "Seaport", "season of rain", "the sea", "sea"];

test("texts that begin so come before those with a word that does", () => {
  assert.deepEqual(matching(TEXTS, " SEA "), ["Seaport", "season of rain", "a park by the sea", "the sea"]);
});

test("a part inside a word is no match", () => {
  assert.deepEqual(matching(TEXTS, "port"), []);
});

test("there are at most twelve", () => {
  const many = Array.from({ length: 40 }, (_, i) => `town ${i}`);
  assert.deepEqual(matching(many, ""), many.slice(0, 12));
  assert.deepEqual(matching(many, "town"), many.slice(0, 12));
});
