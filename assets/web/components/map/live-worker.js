// Computes heatmaps beside the page, so that it never waits: grids are fetched once, panes are canvases that this thread
// draws on. Messages: "pane" gives a canvas and how it is drawn, "gone" takes it away, "hover" asks for the heatmap of a
// position; the answer is "painted" with what was painted, or "failed".

import { readCompact } from "./compact-grid.js";
import { GridPart } from "./grid-part.js";
import { bytesOf, colorsOfBins, paint } from "./painter.js";

/** @import { LiveGrid } from "../../protocol" */
/** @import { CompactGrid } from "./compact-grid.js" */

/**
 * @typedef {object} Drawn A pane.
 * @property {OffscreenCanvas} canvas
 * @property {LiveGrid} display
 * @property {Uint32Array} colors
 * @property {GridPart | null} part What of the grid is painted; null until it is.
 * @property {ImageData | null} image
 */

/** @type {Map<string, Promise<CompactGrid>>} By address. */
const grids = new Map();
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
 * @param {Drawn} pane
 * @param {{ lat: number, lng: number }} at
 * @returns {Promise<boolean>} Whether a cell is there.
 */
async function draw(pane, at) {
  const grid = await gridOf(pane.display.url);
  const values = grid.similaritiesTo(at);
  const { canvas } = pane;
  const part = (pane.part ??= new GridPart(grid, pane.display.area));
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
  paint(pixels, picture.cells, values, colorsOfBins(part.of(values), part, pane.display, pane.colors));
  context.putImageData(pane.image, 0, 0);
  return true;
}

// Grids that no pane shows any more: each takes some ten megabytes.
function tidy() {
  const used = new Set([...panes.values()].map((pane) => pane.display.url));
  for (const url of grids.keys()) if (!used.has(url)) grids.delete(url);
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
      part: null,
      image: canvas ? null : (before?.image ?? null),
    });
    tidy();
    return;
  }
  const began = performance.now();
  try {
    const shown = [];
    await Promise.all([...panes.values()].map((pane) => gridOf(pane.display.url))); // fetched side by side
    for (const [id, pane] of panes) if (await draw(pane, data.at)) shown.push(id);
    self.postMessage({ kind: "painted", number: data.number, shown, ms: performance.now() - began });
  } catch (error) {
    self.postMessage({ kind: "failed", number: data.number, words: String(error) });
  }
};
