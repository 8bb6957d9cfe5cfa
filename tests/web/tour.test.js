import assert from "node:assert/strict";
import test from "node:test";

import { askedAt, placeOf, TOURS } from "../../assets/web/components/tour/steps.js";

test("tours are short, and each says something at every step", () => {
  assert.equal(TOURS.length, 3);
  for (const { steps, title } of TOURS) {
    assert.ok(steps.length >= 4 && steps.length <= 6, title);
    for (const step of steps) {
      const text = step.text({ words: "hot desert", point: "a point" });
      assert.ok(text.length > 40 && text.length < 260, step.title);
    }
  }
});

test("what is on the screen at a step is its own query or the last one before", () => {
  const steps = [{}, { asked: "point" }, {}, { asked: "words" }].map((step) => ({
    title: "",
    text: () => "",
    ...step,
  }));
  assert.deepEqual(
    steps.map((_, at) => askedAt(/** @type {any} */ (steps), at)),
    [null, "point", "point", "words"],
  );
});

test("a card stands below its target, above it, or in the corner, and always in the window", () => {
  const card = { width: 300, height: 200 };
  const window = { width: 1000, height: 700 };
  const box = (
    /** @type {number} */ left,
    /** @type {number} */ top,
    /** @type {number} */ width,
    /** @type {number} */ height,
  ) => ({
    left,
    top,
    right: left + width,
    bottom: top + height,
  });
  assert.deepEqual(placeOf(box(100, 50, 50, 50), card, window), { left: 100, top: 112 });
  assert.deepEqual(placeOf(box(900, 600, 50, 50), card, window), { left: 688, top: 388 });
  assert.deepEqual(placeOf(box(0, 100, 900, 560), card, window), { left: 688, top: 488 });
  assert.deepEqual(placeOf(box(-50, 10, 30, 30), card, window), { left: 12, top: 52 });
});
