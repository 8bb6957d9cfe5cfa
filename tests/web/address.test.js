import assert from "node:assert/strict";
import test from "node:test";

import {
  readOpacity,
  readTexts,
  readThreshold,
  readView,
  writeTexts,
  writeView,
} from "../../assets/web/components/map/address.js";

test("a view survives the way through the address", () => {
  const text = writeView({ lat: 42.360081, lng: -71.058884 }, 12.25);
  assert.equal(text, "42.36008,-71.05888,12.25");
  assert.deepEqual(readView(text), { center: { lat: 42.36008, lng: -71.05888 }, zoom: 12.25 });
  assert.equal(writeView({ lat: 10, lng: 20 }, 3), "10,20,3", "no digits that say nothing");
});

test("what is no view is refused", () => {
  const refused = [
    undefined,
    "",
    "1,2",
    "1,2,3,4",
    "91,0,3",
    "0,541,3",
    "0,0,-1",
    "0,0,25",
    "a,b,c",
    "1,,3",
    "NaN,0,3",
  ];
  for (const text of refused) assert.equal(readView(text), null, text);
});

test("opacity is a whole number of per cent", () => {
  assert.equal(readOpacity("75"), 0.75);
  assert.equal(readOpacity("0"), 0);
  assert.equal(readOpacity("100"), 1);
  for (const text of [undefined, "", "101", "-1", "7.5", "0.5", "x", "1000"])
    assert.equal(readOpacity(text), null, text);
});

test("only the map's parts of an address are read", () => {
  assert.deepEqual(readTexts("?q=text:sea&v=1,2,3&o=50"), { v: "1,2,3", o: "50" });
  assert.deepEqual(readTexts(""), {});
});

test("writing leaves the other parts of an address as they are", () => {
  const search = "?atlas=world&q=text%3Ahot+desert&q=-0.5*at:1,2&v=9,9,9";
  assert.equal(
    writeTexts(search, { o: "50", v: "1,2,3" }),
    "?atlas=world&q=text%3Ahot+desert&q=-0.5*at:1,2&v=1,2,3&o=50",
  );
  assert.equal(writeTexts(search, {}), "?atlas=world&q=text%3Ahot+desert&q=-0.5*at:1,2");
  assert.equal(writeTexts("?v=1,2,3", {}), "");
  assert.equal(writeTexts("", { b: "plain" }), "?b=plain");
});

test("a threshold is a similarity", () => {
  for (const [text, value] of Object.entries({ 0: 0, 0.42: 0.42, "-0.125": -0.125, 1: 1, 0.0005: 0.0005 })) {
    assert.equal(readThreshold(text), value);
  }
  for (const text of [undefined, "", "2", ".5", "0.12345", "1e-3", "x", "0.4;"])
    assert.equal(readThreshold(text), null);
});
