import assert from "node:assert/strict";
import test from "node:test";

import { coordinates } from "../../assets/web/dom.js";

test("positions have the sides of the globe for signs", () => {
  assert.deepEqual(coordinates({ lat: -33.456, lng: 151.2 }, 1), ["33.5° S", "151.2° E"]);
  assert.deepEqual(coordinates({ lat: 42.36012, lng: -71.05891 }, 4), ["42.3601° N", "71.0589° W"]);
});
