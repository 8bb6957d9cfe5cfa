import assert from "node:assert/strict";
import test from "node:test";

import { answered } from "../../assets/web/components/progress/progress.js";
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

test("a server that cannot be reached, or breaks off while it answers, has said nothing", async (t) => {
  const said = t.mock.method(globalThis, "fetch", async () => ({ ok: true, json: async () => ({ share: 0.5 }) }));
  assert.deepEqual(await answered("/data/progress"), { progress: { share: 0.5 } });
  said.mock.mockImplementation(async () => ({ ok: false }));
  assert.deepEqual(await answered("/data/progress"), { progress: null });
  const late = async () => Promise.reject(new DOMException("signal timed out", "TimeoutError"));
  for (const answer of [late, async () => ({ ok: true, json: late })]) {
    said.mock.mockImplementation(answer);
    assert.equal(await answered("/data/progress"), null);
  }
});
