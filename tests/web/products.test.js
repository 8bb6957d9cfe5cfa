import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import wabt from "wabt";

import { MODULE, Products } from "../../assets/web/components/map/products.js";
import { Windows } from "../../assets/web/components/map/windows.js";

const TEXT = new URL("../../assets/web/components/map/products.wat", import.meta.url);

function filled(cells, components, exports) {
  const products = new Products(cells, components, exports);
  for (let cell = 0; cell < cells; cell++) {
    for (let i = 0; i < components; i++)
      products.codes[cell * products.stride + i] = ((cell * 37 + i * 101) % 255) - 127;
  }
  return products;
}

test("the binary module is what its text says", async () => {
  const module = (await wabt()).parseWat("products.wat", readFileSync(TEXT, "utf8"), { simd: true });
  assert.equal(Buffer.from(module.toBinary({}).buffer).toString("base64"), MODULE);
});

for (const components of [1, 7, 8, 144]) {
  test(`products of ${components} components are right, with WebAssembly and without`, () => {
    const weights = Float64Array.from({ length: components }, (_, i) => Math.sin(i + 1));
    const fast = filled(1001, components);
    const plain = filled(1001, components, null);
    assert.ok(fast.exports, "node has SIMD");
    const unit = fast.multiply(weights);
    assert.equal(plain.multiply(weights), unit);
    assert.deepEqual(fast.sums, plain.sums);
    const exact = weights.reduce((sum, weight, i) => sum + weight * fast.codes[1000 * fast.stride + i], 0);
    assert.ok(Math.abs(fast.sums[1000] * unit - exact) < 127 * components * unit);
  });
}

test("the largest codes and weights overflow nothing", () => {
  const products = new Products(3, 144);
  products.codes.fill(-128);
  const unit = products.multiply(new Float64Array(144).fill(-2));
  for (const sum of products.sums) assert.ok(Math.abs(sum * unit - 128 * 144 * 2) < 1);
});

test("sums over windows are those of a slow loop, on a ring and on a plane", () => {
  const [rows, columns] = [5, 9];
  const reach = Array.from({ length: rows }, (_, row) => [row % 2 ? 1 : -1, row ? 2 : 4, row === 3 ? 3 : 0]);
  const values = Float32Array.from({ length: rows * columns }, (_, i) => (i * 7) % 11);
  for (const isRing of [true, false]) {
    const sums = new Windows(reach, [rows, columns], isRing).sumUp(values);
    for (let at = 0; at < rows * columns; at++) {
      const [row, column] = [Math.floor(at / columns), at % columns];
      let sum = 0;
      for (const offset of [-1, 0, 1]) {
        const half = reach[row][offset + 1];
        if (row + offset < 0 || row + offset >= rows) continue;
        for (let other = column - half; other <= column + half; other++) {
          const isIn = other >= 0 && other < columns;
          if (isIn || isRing) sum += values[(row + offset) * columns + ((other + columns) % columns)];
        }
      }
      assert.equal(sums[at], sum);
    }
  }
});
