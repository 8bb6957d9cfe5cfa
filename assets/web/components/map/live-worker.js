// Computes heatmaps beside the page, so that it never waits: grids are fetched once, panes are canvases that this thread
// draws on. Messages: "pane" gives a canvas and how it is drawn, "gone" takes it away, "ask" asks for the heatmap of a
// position or of weights; the answer is "painted" with what was painted, or "failed".

import { readCompact } from "./compact-grid.js";
import { GridPart } from "./grid-part.js";
import { bytesOf, colorsOfBins, paint } from "./painter.js";
import { readEncoder } from "./point-encoder.js";
import { combined } from "./weights.js";

/** @import { LiveGrid } from "../../protocol" */
/** @import { CompactGrid } from "./compact-grid.js" */
/** @import { PointEncoder } from "./point-encoder.js" */
/** @import { Question } from "./live.js" */

/**
 * @typedef {object} Drawn A pane.
 * @property {OffscreenCanvas} canvas
 * @property {LiveGrid} display
 * @property {Uint32Array} colors
 * @property {Map<CompactGrid, GridPart>} parts What of its grids is painted.
 * @property {ImageData | null} image
 */

/** @type {Map<string, Promise<CompactGrid>>} By address. */
const grids = new Map();
/** @type {Map<string, PointEncoder | null>} By address; null until it is here. */
const encoders = new Map();
/** @type {Map<string, Drawn>} By pane. */
const panes = new Map();

/** @param {string} url */
async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The compact grid cannot be fetched (${answer.status}).`);
  return readCompact(await answer.arrayBuffer());
}

/** @param {string} url */
function gridOf(url) {
  if (!grids.has(url)) {
    const grid = fetched(url);
    grid.catch(() => grids.delete(url)); // another try fetches again
    grids.set(url, grid);
  }
  return /** @type {Promise<CompactGrid>} */ (grids.get(url));
}

/**
 * The encoder of an address, if it is here. Nobody waits for it: without it vectors are interpolated.
 *
 * @param {string | undefined} url
 */
function encoderOf(url) {
  if (url !== undefined && !encoders.has(url)) {
    encoders.set(url, null);
    fetchedEncoder(url).then(
      (encoder) => encoders.set(url, encoder),
      () => {}, // it is not asked for again: the map works without it
    );
  }
  return encoders.get(url ?? "") ?? null;
}

/** @param {string} url */
async function fetchedEncoder(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The encoder cannot be fetched (${answer.status}).`);
  return readEncoder(await answer.arrayBuffer());
}

/**
 * The grid that a question to a pane needs, if it can be asked.
 *
 * @param {Drawn} pane
 * @param {Question} question
 */
const urlOf = ({ display }, { weights }) => (weights ? display.weights?.url : display.url);

/**
 * @param {Drawn} pane
 * @param {CompactGrid} grid
 */
function partOf(pane, grid) {
  const part = pane.parts.get(grid) ?? new GridPart(grid, pane.display.area);
  pane.parts.set(grid, part);
  return part;
}

/**
 * @param {Drawn} pane
 * @param {Question} question
 * @returns {Promise<boolean>} Whether there is an answer.
 */
async function draw(pane, question) {
  const { canvas, display } = pane;
  const url = urlOf(pane, question);
  if (!url) return false;
  const grid = await gridOf(url);
  const { at, weights } = question;
  const values =
    weights && display.weights
      ? combined(grid, weights, display.weights.combine)
      : at
        ? grid.similaritiesTo(at, encoderOf(display.encoder))
        : null;
  const part = partOf(pane, grid);
  if (!values || !part.size) return false;
  const { picture } = part;
  const context = canvas.getContext("2d");
  if (!context) return false;
  if (!pane.image || canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    pane.image = context.createImageData(picture.width, picture.height);
  }
  const pixels = new Uint32Array(pane.image.data.buffer);
  const coloring = weights ? { ...display, ...display.weights, limits: null } : display;
  paint(pixels, picture.cells, values, colorsOfBins(part.of(values), part, coloring, pane.colors));
  context.putImageData(pane.image, 0, 0);
  return true;
}

// Grids that no pane shows any more: each takes some ten megabytes.
function tidy() {
  const used = new Set(
    [...panes.values()].flatMap(({ display }) => [display.url, display.weights?.url, display.encoder]),
  );
  for (const kept of [grids, encoders]) for (const url of kept.keys()) if (!used.has(url)) kept.delete(url);
}

self.onmessage = async ({ data }) => {
  if (data.kind === "gone") {
    panes.delete(data.id);
    tidy();
    return;
  }
  if (data.kind === "pane") {
    const { id, canvas, display } = data;
    const before = panes.get(id);
    const colors = bytesOf(display.colors, display.low_opacity);
    panes.set(id, {
      canvas: canvas ?? before?.canvas,
      display,
      colors,
      parts: new Map(),
      image: canvas ? null : (before?.image ?? null),
    });
    tidy();
    return;
  }
  const began = performance.now();
  try {
    const shown = [];
    const urls = [...panes.values()].map((pane) => urlOf(pane, data.question)).filter((url) => url !== undefined);
    await Promise.all(urls.map(gridOf)); // fetched side by side
    for (const [id, pane] of panes) if (await draw(pane, data.question)) shown.push(id);
    self.postMessage({ kind: "painted", number: data.number, shown, ms: performance.now() - began });
  } catch (error) {
    self.postMessage({ kind: "failed", number: data.number, words: String(error) });
  }
};
