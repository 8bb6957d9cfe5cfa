import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";

import { equalEarth, readEncoder } from "../../assets/web/components/map/point-encoder.js";

// One scale, no block: the mean over the only token goes through the head.
const HEADER = {
  format: 1,
  grid: "0badcafe",
  components: 1,
  dim: 2,
  scales: 1,
  width: 4,
  heads: 1,
  depth: 0,
  registers: 1,
  pooled_blocks: 0,
  coarsest: [],
  centre: [0, 0],
  matrices: [[2, 4]],
};
const FREQUENCIES = [0.5, 0.25, 1, 0];
const MEAN = [0.1, 0.2];
const STEPS = [0.01, 0.02];
const BIAS = [0.3, -0.1];
const CODES = [100, -50, 20, 127, -127, 3, 60, 0];

function bytes({ cut = 0, format = 1 } = {}) {
  const floats = new Float32Array([...FREQUENCIES, 0, 0, 0, 0, ...MEAN, ...STEPS, ...BIAS]);
  const text = new TextEncoder().encode(JSON.stringify({ ...HEADER, format }));
  const body = Buffer.concat([Buffer.from(floats.buffer), Buffer.from(Int8Array.from(CODES).buffer)]);
  const packed = deflateSync(body.subarray(0, body.length - cut));
  const all = new Uint8Array(4 + text.length + packed.length);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, 4);
  all.set(packed, 4 + text.length);
  return all.buffer;
}

test("the projection has the corners that its authors give", () => {
  const [x, y] = equalEarth({ lat: 0, lng: 180 - 1e-9 });
  assert.ok(Math.abs(x - 1) < 1e-9 && Math.abs(y) < 1e-12);
  assert.ok(Math.abs(equalEarth({ lat: 90, lng: 0 })[1] - 0.4867) < 1e-4);
  assert.deepEqual(equalEarth({ lat: 10, lng: 20 }), equalEarth({ lat: 10, lng: 380 }));
});

test("a point's vector is what the matrices say", async () => {
  const encoder = await readEncoder(bytes());
  const [x, y] = equalEarth({ lat: 30, lng: 60 });
  const phases = [x * 0.5 + y, x * 0.25].map((turns) => 2 * Math.PI * turns);
  const token = [...phases.map(Math.cos), ...phases.map(Math.sin)];
  const mean = token.reduce((a, b) => a + b) / 4;
  const deviation = Math.sqrt(token.reduce((total, value) => total + (value - mean) ** 2, 0) / 4 + 1e-5);
  const normal = token.map((value) => (value - mean) / deviation);
  const outputs = [0, 1].map((row) =>
    normal.reduce((total, value, i) => total + value * CODES[4 * row + i] * STEPS[row], BIAS[row]),
  );
  const length = Math.hypot(...outputs);
  const { along, rest } = encoder.vectorAt({ lat: 30, lng: 60 });
  assert.equal(along.length, 1);
  assert.ok(Math.abs(along[0] - outputs[0] / length) < 1e-4);
  assert.ok(Math.abs(rest - outputs[1] / MEAN[1] / length) < 1e-3, "the second output lies along no component");
});

test("what is cut off or of another version is refused", async () => {
  await assert.rejects(readEncoder(bytes({ format: 2 })), /format 2/);
  await assert.rejects(readEncoder(bytes({ cut: 1 })));
});
