import assert from "node:assert/strict";
import test from "node:test";

import { beginRun, cleanUpOf, hear, nonce, painted, paintsUntil, tell } from "../../assets/web/bus.js";

test("listeners hear their kind of event until they stop", () => {
  const heard = [];
  const stop = hear("reveal", ({ id }) => heard.push(id));
  tell("reveal", { id: "a" });
  tell("hover", { id: "b", on: true });
  stop();
  tell("reveal", { id: "c" });
  assert.deepEqual(heard, ["a"]);
});

test("only the latest run of a component cleans up", () => {
  const root = {};
  const log = [];
  const first = beginRun(root);
  const cleanFirst = cleanUpOf(root, first, () => log.push("first"));
  assert.ok(first());
  const second = beginRun(root);
  assert.ok(!first());
  const cleanSecond = cleanUpOf(root, second, () => log.push("second"));
  assert.deepEqual(log, ["first"], "what the run before listened to is stopped");
  cleanFirst(); // Streamlit calls it late
  assert.deepEqual(log, ["first"]);
  cleanSecond();
  assert.deepEqual(log, ["first", "second"]);
  cleanUpOf(root, beginRun(root), () => log.push("third"));
  assert.deepEqual(log, ["first", "second"], "what was cleaned up is not stopped again");
});

test("runs of two elements have nothing to do with each other", () => {
  const latest = beginRun({});
  beginRun({});
  assert.ok(latest());
});

test("nonces are all different", () => {
  const many = Array.from({ length: 1000 }, nonce);
  assert.equal(new Set(many).size, many.length);
});

test("what is beside the map waits for its picture, but not for ever", async (context) => {
  const timers = [];
  context.mock.method(globalThis, "setTimeout", (act, milliseconds) => timers.push({ act, milliseconds }));
  const pass = (milliseconds) => {
    for (const timer of timers.splice(0)) {
      if (timer.milliseconds <= milliseconds) timer.act();
      else timers.push(timer);
    }
  };
  const settle = async () => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  const log = [];
  let show;
  paintsUntil(new Promise((resolve) => (show = resolve)));
  painted().then(() => log.push("shown"));
  pass(0);
  await settle();
  assert.deepEqual(log, []);
  show();
  await settle();
  assert.deepEqual(log, ["shown"]);
  paintsUntil(new Promise(() => {}));
  painted().then(() => log.push("waited"));
  pass(0);
  await settle();
  pass(10_000);
  await settle();
  assert.deepEqual(log, ["shown", "waited"]);
});
