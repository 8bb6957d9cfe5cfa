import assert from "node:assert/strict";
import test from "node:test";

import { areaInWords, Areas, rowAreas } from "../../assets/web/components/map/areas.js";

const EARTH_KM2 = 4 * Math.PI * 6371.0088 ** 2;

/** @param {number[]} codes @param {number} width */
const pixels = (codes, width) => ({
  width,
  height: codes.length / width,
  data: codes.flatMap((code) => [code, 0, 0, 255]),
});
const spec = (/** @type {[number, number, number, number]} */ bounds) => ({
  url: "",
  bounds,
  land: "the land",
  low: 0.1,
  step: 0.02,
});

test("the cells of the Earth have its area together, and are smaller towards the poles", () => {
  const rows = rowAreas([-90, -180, 90, 180], 8, 6);
  assert.ok(Math.abs(rows.reduce((sum, area) => sum + 8 * area, 0) / EARTH_KM2 - 1) < 1e-12);
  assert.ok(rows[0] < rows[1] && rows[1] < rows[2]);
  assert.ok(Math.abs(rows[2] - rows[3]) < 1e-6);
});

test("the area above every step is that of a sum over the cells", () => {
  const codes = Array.from({ length: 24 }, (_, i) => (i * 7) % 11);
  const areas = new Areas(spec([40, 0, 70, 80]), pixels(codes, 8));
  const rows = rowAreas([40, 0, 70, 80], 8, 3);
  const total = codes.reduce((sum, code, i) => sum + (code ? rows[Math.floor(i / 8)] : 0), 0);
  for (let step = 1; step <= 12; step++) {
    const brute = codes.reduce((sum, code, i) => sum + (code >= step ? rows[Math.floor(i / 8)] : 0), 0);
    const { km2, share } = areas.above(step);
    assert.ok(Math.abs(km2 - brute) < 1e-6, `${step}`);
    assert.ok(Math.abs(share - brute / total) < 1e-12);
  }
  assert.equal(areas.most, 10);
});

test("a similarity is the first step that does not lie below it", () => {
  const areas = new Areas(spec([0, 0, 10, 10]), pixels([1, 2, 3, 4], 2));
  assert.deepEqual(
    [0, 0.1, 0.11, 0.12, 0.16, 0.9].map((value) => areas.codeOf(value)),
    [1, 1, 2, 2, 4, 5],
  );
  for (const code of [1, 2, 3, 4]) assert.equal(areas.codeOf(areas.similarityOf(code)), code);
  assert.equal(areas.similarityOf(4), 0.16);
});

test("what does not reach a step is veiled, what is off the grid is not", () => {
  const areas = new Areas(spec([-1, 0, 1, 2]), pixels([1, 0, 5, 3], 2));
  const { width, height } = areas.size;
  const picture = new Uint32Array(width * height);
  areas.paint(picture, 4, 9);
  assert.deepEqual([...picture], [9, 0, 0, 9]);
});

test("an area is told in figures that its size needs", () => {
  const told = (/** @type {number} */ km2, /** @type {number} */ share) => areaInWords({ km2, share }, "the city");
  assert.equal(told(0, 0), "0 % of the city, 0 km²");
  assert.equal(told(12.34, 0.0512), "5.1 % of the city, 12.3 km²");
  assert.equal(told(1234.5, 0.123), "12 % of the city, 1,235 km²");
  assert.equal(told(1_830_000, 0.0123), "1.2 % of the city, 1.83 million km²");
  assert.equal(told(17_900_000, 0.00412), "0.41 % of the city, 17.9 million km²");
});
