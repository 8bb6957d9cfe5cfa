import assert from "node:assert/strict";
import test from "node:test";

import { pointsOf } from "../../assets/web/components/points/chart.js";

const axis = (/** @type {number} */ offset) => ({
  c2p: (/** @type {number} */ value) => 100 * value,
  _offset: offset,
  _length: 300,
});
const trace = (/** @type {object} */ given) => ({ mode: "markers", visible: true, x: [0, 1], y: [2, 1], ...given });

test("the points of a place are where Plotly draws them, lines and hidden modalities apart", () => {
  const chart = {
    on: () => {},
    _fullLayout: { xaxis: axis(8), yaxis: axis(36) },
    _fullData: [trace({ mode: "lines" }), trace({}), trace({ visible: "legendonly" }), trace({ x: [3, 2], y: [0, 0] })],
  };
  const plot = /** @type {import("../../assets/web/components/points/chart.js").Plot} */ (chart);
  assert.deepEqual(pointsOf(plot, 1), [
    [108, 136],
    [208, 36],
  ]);
  assert.deepEqual(pointsOf(plot, 2), [], "there is no such place");
});
