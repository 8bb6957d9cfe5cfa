// Computes heatmaps beside the page, so that it never waits. Messages: "grid" brings the vectors of a model, "encoder" what
// encodes points for it, "pane" the canvas that shows it, "ask" says what panes show; the answers are "ready", "painted"
// and "failed".

import { readCompact } from "../components/map/compact-grid.js";
import { bytesOf, colorsOfBins, paint, pictureOf } from "../components/map/painter.js";
import { readEncoder } from "../components/map/point-encoder.js";

/** @import { Coloring } from "../components/map/painter.js" */
/** @import { CompactGrid } from "../components/map/compact-grid.js" */
/** @import { PointEncoder } from "../components/map/point-encoder.js" */
/** @import { Ask, Painted, PointVector, Position } from "./page" */

/**
 * @typedef {object} Grid A grid, and the cells of its picture.
 * @property {CompactGrid} grid
 * @property {ReturnType<typeof pictureOf>} picture
 * @property {PointEncoder | null} encoder
 */
/** @typedef {{ canvas: OffscreenCanvas, grid: string }} Pane */

const LEAST_SPAN = 1e-6; // of similarity, as the app has it

/** @type {Map<string, Grid>} */
const grids = new Map();
/** @type {Map<string, Promise<void>>} Of each grid: that it is here. */
const reading = new Map();
/** @type {Map<string, Pane>} */
const panes = new Map();
let lowOpacity = 0;
let colors = new Uint32Array(0);

/**
 * @param {string} id
 * @param {ArrayBuffer} buffer
 */
async function read(id, buffer) {
  const grid = await readCompact(buffer);
  grids.set(id, { grid, picture: pictureOf(grid), encoder: null });
  self.postMessage({ kind: "ready", id, encodes: false });
}

/**
 * @param {string} id
 * @param {ArrayBuffer} buffer
 */
async function encode(id, buffer) {
  const encoder = await readEncoder(buffer);
  await reading.get(id);
  const grid = grids.get(id);
  if (grid) grid.encoder = encoder;
  self.postMessage({ kind: "ready", id, encodes: true });
}

/**
 * @param {Pane} pane
 * @param {Grid} read
 * @param {(pixels: Uint32Array) => void} fill
 */
function draw({ canvas }, { picture }, fill) {
  const context = canvas.getContext("2d");
  if (!context) return;
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  const image = context.createImageData(picture.width, picture.height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}

/**
 * @param {Pane} pane
 * @param {Grid} grid
 * @param {number[][]} turn
 */
function drawColors(pane, grid, turn) {
  const { header } = grid.grid;
  const { codes, stride } = grid.grid.products;
  const bytes = new Uint32Array(header.cells);
  const used = Math.min(turn.length, header.components);
  for (let cell = 0; cell < header.cells; cell++) {
    let color = 255 << 24;
    for (let channel = 0; channel < 3; channel++) {
      let level = 0.5;
      for (let i = 0; i < used; i++) level += codes[cell * stride + i] * turn[i][channel];
      color |= Math.round(255 * Math.min(1, Math.max(0, level))) << (8 * channel);
    }
    bytes[cell] = color >>> 0;
  }
  draw(pane, grid, (pixels) => {
    grid.picture.cells.forEach((cell, at) => {
      pixels[at] = cell < 0 ? 0 : bytes[cell];
    });
  });
}

/**
 * Where a grid is most similar.
 *
 * @param {CompactGrid} grid
 * @param {Float32Array} values
 * @returns {Position}
 */
function hottest(grid, values) {
  let best = 0;
  for (let cell = 1; cell < values.length; cell++) if (values[cell] > values[best]) best = cell;
  const { bounds, shape } = grid.header;
  const [south, west, north, east] = bounds;
  const row = grid.rowOf[best];
  const column = grid.numbers.indexOf(best, row * shape[1]) - row * shape[1];
  return {
    lat: north - ((row + 0.5) / shape[0]) * (north - south),
    lng: west + ((column + 0.5) / shape[1]) * (east - west),
  };
}

/**
 * @param {Ask} ask
 * @param {Grid} read
 * @param {Position | null} before Where the pane before is most similar.
 */
function answer(ask, { grid, encoder }, before) {
  if (ask.kind === "vector") return { at: null, point: null, values: grid.similarities(ask.along, ask.constant) };
  const at = ask.kind === "point" ? ask.at : before;
  const point = at && grid.vectorAt(at, encoder);
  return { at, point, values: point && grid.similarities(point.along, grid.withMean(point)) };
}

/**
 * Paint the panes whose grids are here.
 *
 * @param {{ number: number, asked: { id: string, ask: Ask }[] }} question
 */
function show({ number, asked }) {
  const began = performance.now();
  /** @type {Painted[]} */
  const painted = [];
  /** @type {PointVector | null} */
  let first = null;
  for (const { id, ask } of asked) {
    const pane = panes.get(id);
    const grid = pane && grids.get(pane.grid);
    if (!pane || !grid) continue;
    if (ask.kind === "colors") {
      drawColors(pane, grid, ask.turn);
      painted.push({ id, best: null, at: null });
      continue;
    }
    const before = painted.find((each) => each.id === asked[0].id)?.best ?? null;
    const { at, point, values } = answer(ask, grid, before);
    if (!values) continue;
    if (id === asked[0].id) first = point;
    const limits = ask.limits && /** @type {[number, number]} */ (ask.limits.slice(0, 2));
    /** @type {Coloring} */
    const display = { scale: limits ? "absolute" : "similarity", limits, floor: 50, share: 0, least_span: LEAST_SPAN };
    const bins = colorsOfBins(values, grid.grid, display, colors);
    draw(pane, grid, (pixels) => paint(pixels, grid.picture.cells, values, bins));
    painted.push({ id, best: hottest(grid.grid, values), at });
  }
  self.postMessage({ kind: "painted", number, panes: painted, point: first, ms: performance.now() - began });
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "colors") {
      lowOpacity = data.lowOpacity;
      colors = bytesOf(data.colors, lowOpacity);
    } else if (data.kind === "grid") {
      reading.set(data.id, read(data.id, data.buffer));
      await reading.get(data.id);
    } else if (data.kind === "encoder") {
      await encode(data.id, data.buffer);
    } else if (data.kind === "pane") panes.set(data.id, { canvas: data.canvas, grid: data.grid });
    else if (data.kind === "forget") panes.delete(data.id);
    else show(data);
  } catch (error) {
    self.postMessage({ kind: "failed", number: data.number ?? 0, words: String(error) });
  }
};
