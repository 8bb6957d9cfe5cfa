import assert from "node:assert/strict";
import test from "node:test";

import { turnBetween } from "../../assets/web/components/map/markers.js";
import { facing, turned, TURN_DEG, written } from "../../assets/web/components/street/pose.js";

const POSE = { lat: 42.3601, lng: -71.0589, heading: 350 };

test("turning goes round past north", () => {
  assert.deepEqual(turned(POSE, TURN_DEG), { ...POSE, heading: 35 });
  assert.equal(turned({ ...POSE, heading: 10 }, -TURN_DEG).heading, 325);
  let pose = POSE;
  for (let i = 0; i < 360 / TURN_DEG; i++) pose = turned(pose, TURN_DEG);
  assert.deepEqual(pose, POSE, "eight turns are a whole one");
});

test("headings are named by the nearest point of the compass", () => {
  assert.deepEqual([0, 22, 23, 90, 180, 275, 338, 359].map(facing), [
    "north",
    "north",
    "north-east",
    "east",
    "south",
    "west",
    "north",
    "north",
  ]);
});

test("a pose is written as the server reads it", () => {
  assert.equal(written(POSE), "42.360100,-71.058900,350");
});

test("the cone turns the short way", () => {
  assert.equal(turnBetween(350, 35), 45);
  assert.equal(turnBetween(35, 350), -45);
  assert.equal(turnBetween(10, 10), 0);
  assert.equal(turnBetween(-725, 0), 5, "after two turns to the left");
  assert.equal(turnBetween(1075, 0), 5, "after almost three to the right");
});
