import assert from "node:assert/strict";
import { test } from "node:test";

import { CompactGrid } from "../../assets/web/components/map/compact-grid.js";
import { closest } from "../../assets/web/site/vectors.js";

// Two cells of unit vectors (0.6, 0.8) and (0.8, 0.6) along one component, (1, 0); the mean is (0.7, 0.7).
const grid = Object.assign(Object.create(CompactGrid.prototype), {
  header: { mean: [0.7], square: 0.98, step: 0.1, components: 1 },
  codesAt: ({ lng }) => (lng < 0 ? null : [lng < 1 ? -1 : 1]),
});

test("the vector of a point has unit length with what of the mean lies along no component", () => {
  const point = grid.vectorAt({ lat: 0, lng: 1 });
  const length = Math.hypot(0.8, 0.7);
  assert.ok(Math.abs(point.along[0] - 0.8 / length) < 1e-6);
  assert.ok(Math.abs(point.rest - 1 / length) < 1e-6);
  assert.ok(Math.abs(grid.withMean(point) - (0.8 * 0.7 + 0.7 * 0.7) / length) < 1e-6);
  assert.equal(grid.vectorAt({ lat: 0, lng: -1 }), null);
});

test("places are ranked by similarity less what is subtracted of them", () => {
  const places = /** @type {any} */ ({
    step: 0.01,
    rest: [0.1, 0.1, 0.1],
    offsets: [0, 0.5, 0],
    items: [["a"], ["b"], ["c"]],
  });
  const found = closest({ along: Float32Array.of(1), rest: 1 }, places, Int8Array.of(20, 60, 40), 2);
  assert.deepEqual(
    found.map(({ number }) => number),
    [2, 0],
  );
  assert.ok(Math.abs(found[0].similarity - 0.5) < 1e-6);
});
