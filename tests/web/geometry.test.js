import assert from "node:assert/strict";
import test from "node:test";

import { clampLat, linesOf, luminance, snapped } from "../../assets/web/components/map/geometry.js";

const lines = (geometry) => linesOf(geometry).map((feature) => feature.geometry.coordinates);

test("latitudes end where web Mercator does", () => {
  assert.equal(clampLat(90), 85.0511);
  assert.equal(clampLat(-90), -85.0511);
  assert.equal(clampLat(42.36), 42.36);
});

test("a line that crosses the date line is cut there", () => {
  const line = [
    [178, 0],
    [179, 1],
    [-179, 2],
    [-178, 3],
  ];
  assert.deepEqual(lines({ type: "LineString", coordinates: line }), [[line.slice(0, 2), line.slice(2)]]);
});

test("a single point on one side of the date line draws nothing", () => {
  const line = [
    [179, 0],
    [-179, 1],
    [-178, 2],
  ];
  assert.deepEqual(lines({ type: "LineString", coordinates: line }), [[line.slice(1)]]);
});

test("every kind of shape becomes lines; what has none is left out", () => {
  const ring = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 0],
  ];
  const features = [
    { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] } },
    { type: "Feature", geometry: { type: "MultiPolygon", coordinates: [[ring], [ring]] } },
    { type: "Feature", geometry: null },
    { type: "Feature", geometry: { type: "Point", coordinates: [0, 0] } },
  ];
  assert.deepEqual(lines({ type: "FeatureCollection", features }), [[ring], [ring, ring], []]);
});

test("luminance tells a dark theme from a light one", () => {
  assert.equal(luminance("#000000"), 0);
  assert.ok(Math.abs(luminance(" #ffffff ") - 1) < 1e-9);
  assert.ok(luminance("#0e161b") < 0.4);
  assert.ok(luminance("#00ff00") > luminance("#ff0000"), "the eye sees green best");
  assert.equal(luminance("white"), 1, "what cannot be read counts as light");
});

test("a zoom is rounded to the nearest step", () => {
  assert.deepEqual(
    [3.1, 3.13, 3.37, 3.38].map((zoom) => snapped(zoom, 0.25)),
    [3, 3.25, 3.25, 3.5],
  );
});
