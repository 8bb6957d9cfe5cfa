import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";

import { readCompact } from "../../assets/web/components/map/compact-grid.js";
import { GridPart } from "../../assets/web/components/map/grid-part.js";
import { combined, isSameQuery } from "../../assets/web/components/map/weights.js";
import { bytesOf, colorsOfBins, paint, pictureOf } from "../../assets/web/components/map/painter.js";

// Three rows of four cells round the globe, of which (0, 1) and (2, 2) do not count; two components.
const BOUNDS = [-60, -180, 60, 180];
const MASK = [1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1];
const CODES = [
  [10, -20, 30, 0, 5, -5, 8, 9, 10, -127],
  [0, 4, -4, 100, 50, 0, 0, 1, 2, 3],
];
const REACH = [
  [-1, 0, 0],
  [-1, 1, -1],
  [0, 1, -1],
];
const STEP = 0.01;
const MEAN = [0.3, -0.1];
const SQUARE = 0.2; // more than that of MEAN: a part of the mean lies along no component

function bytes({ format = 1, cut = 0, reach = REACH } = {}) {
  const header = {
    format,
    id: "0badcafe",
    bounds: BOUNDS,
    shape: [3, 4],
    cells: 10,
    components: 2,
    step: STEP,
    mean: MEAN,
    square: SQUARE,
    reach,
  };
  const mask = [0, 0];
  MASK.forEach((bit, i) => (mask[i >> 3] |= bit << (7 - (i & 7))));
  const differences = CODES.flatMap((codes) => codes.map((code, i) => (code - (codes[i - 1] ?? 0)) & 255));
  const text = new TextEncoder().encode(JSON.stringify(header));
  const body = deflateSync(Uint8Array.from([...mask, ...differences].slice(0, 22 - cut)));
  const all = new Uint8Array(4 + text.length + body.length);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, 4);
  all.set(body, 4 + text.length);
  return all.buffer;
}

/** The vector of a cell, with a third number for what of the mean lies along no component. */
function vectorOf(cell) {
  const rest = Math.sqrt(SQUARE - MEAN[0] ** 2 - MEAN[1] ** 2);
  return [MEAN[0] + STEP * CODES[0][cell], MEAN[1] + STEP * CODES[1][cell], rest];
}

/** Similarities as slowly as possible. */
function expected(cell) {
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const own = vectorOf(cell);
  const length = Math.sqrt(dot(own, own));
  const products = CODES[0].map((_, i) => dot(vectorOf(i), own) / length);
  const numbers = [];
  let number = 0;
  for (const bit of MASK) numbers.push(bit ? number++ : -1);
  const means = [];
  numbers.forEach((of, at) => {
    if (of < 0) return;
    const [row, column] = [Math.floor(at / 4), at % 4];
    let [sum, count] = [0, 0];
    [-1, 0, 1].forEach((offset, i) => {
      const half = REACH[row][i];
      if (half < 0 || row + offset < 0 || row + offset > 2) return;
      for (let c = column - half; c <= column + half; c++) {
        const other = numbers[(row + offset) * 4 + ((c + 4) % 4)];
        if (other < 0) continue;
        sum += products[other];
        count += 1;
      }
    });
    means.push(sum / count);
  });
  return means;
}

test("an encoder that was made for another grid is not used", async () => {
  const grid = await readCompact(bytes());
  const at = { lat: 40, lng: -135 }; // within the first cell
  const vector = { along: Float32Array.of(0.6, 0.8), rest: 0 };
  const encoder = { header: { grid: "0badcafe" }, vectorAt: () => vector };
  assert.equal(grid.vectorAt(at, encoder), vector);
  assert.equal(grid.vectorAt({ lat: 40, lng: -45 }, encoder), null, "no cell counts here");
  const other = { ...encoder, header: { grid: "12345678" } };
  assert.deepEqual(grid.vectorAt(at, other), grid.vectorAt(at));
});

test("similarities to a cell are means over its neighbors, also over the date line", async () => {
  const grid = await readCompact(bytes());
  for (const [cell, position] of [
    [0, { lat: 40, lng: -135 }],
    [3, { lat: 0, lng: -135 }],
    [9, { lat: -40, lng: 135 }],
  ]) {
    const found = [...grid.similaritiesTo(position)];
    expected(cell).forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-4, `${cell}: ${i}`));
  }
});

test("between centers, codes are interpolated, round the globe too; cells that do not count have no say", async () => {
  const grid = await readCompact(bytes());
  const mixed = [...grid.codesAt({ lat: 0, lng: -101.25 })]; // 3/8 of the way from cell 3 to cell 4
  mixed.forEach((code, i) => assert.ok(Math.abs(code - (0.625 * CODES[i][3] + 0.375 * CODES[i][4])) < 1e-9));
  const around = [...grid.codesAt({ lat: 0, lng: 180 - 1e-9 })]; // half cell 6, half cell 3
  around.forEach((code, i) => assert.ok(Math.abs(code - (CODES[i][6] + CODES[i][3]) / 2) < 1e-6));
  assert.deepEqual([...grid.codesAt({ lat: 40, lng: -100 })], [10, 0], "its neighbor in the east does not count");
  assert.equal(grid.codesAt({ lat: 40, lng: -80 }), null);
  assert.equal(grid.similaritiesTo({ lat: 40, lng: -80 }), null);
});

test("positions are cells; none where nothing counts or beyond the edges", async () => {
  const grid = await readCompact(bytes());
  assert.equal(grid.cellAt({ lat: 50, lng: -170 }), 0);
  assert.equal(grid.cellAt({ lat: 50, lng: 190 }), 0, "a turn away");
  assert.equal(grid.cellAt({ lat: 50, lng: -80 }), -1);
  assert.equal(grid.cellAt({ lat: -50, lng: 170 }), 9);
  assert.equal(grid.cellAt({ lat: 70, lng: 0 }), -1);
});

test("bytes of another version, or cut off, are refused", async () => {
  await assert.rejects(readCompact(bytes({ format: 2 })), /format 2/);
  await assert.rejects(readCompact(bytes({ cut: 3 })), /cut off/);
});

test("a picture shows in Mercator which cell is where", async () => {
  const { width, height, cells } = pictureOf(await readCompact(bytes()));
  assert.equal(width, 4);
  assert.ok(height >= 3);
  assert.deepEqual([...cells.slice(0, 4)], [0, -1, 1, 2]);
  assert.deepEqual([...cells.slice(-4)], [7, 8, -1, 9]);
});

const COLORS = bytesOf(["#000000", "#800000", "#ff0000", "#ffffff"], 0.5);
const DISPLAY = { scale: "absolute", limits: [0, 1], floor: 0, share: 0, least_span: 1e-6 };
const VALUES = Float32Array.from([-1, 0.1, 0.3, 0.6, 0.8, 2, 0.5, 0.5, 0.5, 0.5]);

test("colors have their red first and are thinner at the low end", () => {
  assert.equal(COLORS[0], 0x80000000);
  assert.equal(COLORS[2] & 0xffffff, 0x0000ff);
  assert.equal(COLORS[3], 0xffffffff);
});

/** Number of the color that each value gets. */
async function painted(display, values = VALUES) {
  const grid = await readCompact(bytes());
  const colors = colorsOfBins(values, grid, { ...DISPLAY, ...display }, COLORS);
  const pixels = new Uint32Array(values.length + 1);
  paint(pixels, Int32Array.from([...values.keys(), -1]), values, colors);
  assert.equal(pixels.at(-1), 0, "off the grid it is transparent");
  return [...pixels.slice(0, -1)].map((pixel) => COLORS.indexOf(pixel));
}

test("absolute colors are those of the similarity, whatever else there is", async () => {
  assert.deepEqual((await painted({})).slice(0, 6), [0, 0, 1, 2, 3, 3]);
});

test("colors of an own range reach from its floor to its highest similarity", async () => {
  const own = await painted({ scale: "similarity", limits: null });
  assert.equal(own[0], 0);
  assert.equal(own[5], 3);
  const halved = await painted({ scale: "similarity", limits: null, floor: 50 });
  assert.equal(halved[1], 0, "below the median all is of the lowest color");
});

test("colors by rank go by the share of the area that is less similar", async () => {
  const ranks = await painted({ scale: "percentile", limits: null });
  assert.equal(ranks[0], 0);
  assert.equal(ranks[5], 3);
  assert.ok(ranks[4] >= ranks[3] && ranks[3] >= ranks[2]);
});

test("only the best share of the area is painted", async () => {
  const best = await painted({ share: 0.2 });
  assert.equal(best[5], 3);
  assert.equal(best[0], -1);
  assert.equal(best[2], -1);
});

test("in an area, the range, the ranks and the picture are those of its cells alone", async () => {
  const grid = await readCompact(bytes());
  const part = new GridPart(grid, [-60, 100, 20, 240]); // over the date line: columns 3 and 0 of the lower two rows
  assert.deepEqual([...part.kept], [3, 6, 7, 9]);
  assert.deepEqual([...part.of(VALUES)], [0.6, 0.5, 0.5, 0.5].map(Math.fround));
  assert.deepEqual([...new Set(part.picture.cells)].sort(), [-1, 3, 6, 7, 9]);
  const own = { ...DISPLAY, scale: "similarity", limits: null };
  const { bins, low, scale } = colorsOfBins(part.of(VALUES), part, own, COLORS);
  const pixels = new Uint32Array(part.picture.cells.length);
  paint(pixels, part.picture.cells, VALUES, { bins, low, scale });
  part.picture.cells.forEach((cell, at) => {
    assert.equal(pixels[at], cell < 0 ? 0 : cell === 3 ? COLORS[3] : COLORS[0], "the best of the area is brightest");
  });
});

test("without an area all cells count, and in one without cells none", async () => {
  const grid = await readCompact(bytes());
  const all = new GridPart(grid, null);
  assert.equal(all.size, 10);
  assert.equal(all.of(VALUES), VALUES);
  assert.equal(new GridPart(grid, [70, 0, 80, 10]).size, 0);
});

test("a factor above zero changes no query, all else does", () => {
  assert.ok(isSameQuery([1, -0.5], [1, -0.5]));
  assert.ok(isSameQuery([2, -1, 0], [1, -0.5, 0]));
  assert.ok(isSameQuery([0.25], [1]));
  assert.ok(!isSameQuery([-1], [1]));
  assert.ok(!isSameQuery([1, 0.5], [1, 1]));
  assert.ok(!isSameQuery([0, 0], [1, 1]));
  assert.ok(!isSameQuery([0, 1], [1, 0]));
});

test("heatmaps of items are added up, or the largest of those that are added counts", async () => {
  const grid = await readCompact(bytes({ reach: [[0], [0], [0]] }));
  const item = (number) => CODES[number].map((code) => code * STEP + MEAN[number]);
  const agrees = (weights, combine, of) =>
    [...combined(grid, weights, combine)].forEach((value, cell) =>
      assert.ok(Math.abs(value - of(item(0)[cell], item(1)[cell])) < 1e-4, `${weights} ${combine}: ${cell}`),
    );
  agrees([1.5, -0.5], "sum", (a, b) => 1.5 * a - 0.5 * b);
  agrees([1.5, 0.25], "any", (a, b) => Math.max(a, b));
  agrees([1.5, -0.5], "any", (a, b) => 1.5 * a - 0.5 * b);
});
