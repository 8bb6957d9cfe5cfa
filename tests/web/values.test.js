import assert from "node:assert/strict";
import test from "node:test";

import { cellAt, Values } from "../../assets/web/components/map/values.js";

const WORLD = [-90, -180, 90, 180];
const SIZE = { width: 4, height: 2 };

test("a position is the cell that it lies in, the first row in the north", () => {
  assert.deepEqual(cellAt(WORLD, SIZE, { lat: 45, lng: -170 }), { row: 0, column: 0 });
  assert.deepEqual(cellAt(WORLD, SIZE, { lat: -45, lng: 170 }), { row: 1, column: 3 });
  assert.deepEqual(cellAt(WORLD, SIZE, { lat: 90, lng: -180 }), { row: 0, column: 0 });
});

test("a longitude that is a whole turn away is the same place", () => {
  for (const lng of [100, 460, -260]) assert.deepEqual(cellAt(WORLD, SIZE, { lat: 1, lng }), { row: 0, column: 3 });
});

test("beyond the edges there is no cell", () => {
  const city = [42, -72, 43, -71];
  for (const [lat, lng] of [
    [43.1, -71.5],
    [41.9, -71.5],
    [42.5, -72.1],
    [42.5, -70.9],
  ]) {
    assert.equal(cellAt(city, SIZE, { lat, lng }), null, `${lat}, ${lng}`);
  }
});

test("the value under the pointer is its percentile in words", () => {
  const similarities = Array.from({ length: 100 }, (_, percentile) => (percentile / 100).toFixed(2));
  const values = new Values({ url: "", bounds: [0, 0, 1, 2], land: "the land", similarities });
  values.fetching = Promise.resolve(); // nothing to fetch here
  assert.equal(values.at({ lat: 0.5, lng: 0.5 }), "", "the picture has yet to come");
  values.pixels = { width: 2, height: 1, data: [94, 94, 94, 255, 0, 0, 0, 255] };
  assert.equal(values.at({ lat: 0.5, lng: 0.5 }), "0.93: more similar than 93 % of the land");
  assert.equal(values.at({ lat: 0.5, lng: 1.5 }), "", "0 is off the grid");
  assert.equal(values.at({ lat: 1.5, lng: 0.5 }), "");
});
