import assert from "node:assert/strict";
import test from "node:test";

import { gradient, percent } from "../../assets/web/components/map/legend.js";

test("the bar has the color of each stop at its place", () => {
  const stops = [
    [0, 0.1, "#000004"],
    [0.3333, 0.4, "#bc3754"],
    [1, 0.9, "#fcffa4"],
  ];
  assert.equal(gradient(stops), "linear-gradient(90deg, #000004 0.0%, #bc3754 33.3%, #fcffa4 100.0%)");
});

test("places on the bar are per cent", () => {
  assert.equal(percent(0.8), "80.0%");
});
