import assert from "node:assert/strict";
import test from "node:test";

import { TimeLeft } from "../../assets/web/components/progress/time-left.js";

test("nothing is said before there is something to estimate from", () => {
  const left = new TimeLeft(1000, 0.5);
  assert.equal(left.at(2000, 0.5), "");
  assert.equal(left.at(3000, 0.53), "");
});

test("the rest takes as long as the part that is done, and is counted down in between", () => {
  const left = new TimeLeft(0, 0);
  assert.equal(left.at(10_000, 0.25), ", about 30 s left");
  assert.equal(left.at(20_000, 0.25), ", about 20 s left");
  assert.equal(left.at(33_000, 0.25), ", about 7 s left");
  assert.equal(left.at(60_000, 0.25), ", about 1 s left", "never less than a second");
  assert.equal(left.at(80_000, 0.8), ", about 20 s left", "progress corrects it");
});
