// Colors of a heatmap that the browser computes: the scales of `unigeoclip.similarity.heatmap`, by a histogram.

import { clampLat } from "./geometry.js";

/** @import { LiveGrid } from "../../protocol" */
/** @import { CompactGrid } from "./compact-grid.js" */

/** @typedef {Pick<LiveGrid, "scale" | "limits" | "floor" | "share" | "least_span">} Coloring */
/** @typedef {Pick<CompactGrid, "header" | "rowOf">} Rows Of the cells whose values are colored. */

const BINS = 2048;
const MOST_PX = 1024;

/**
 * Which cell each pixel of a picture shows that is stretched over the grid in web Mercator; -1 where none counts.
 *
 * @param {CompactGrid} grid
 * @returns {{ width: number, height: number, cells: Int32Array }}
 */
export function pictureOf(grid) {
  const { bounds, shape } = grid.header;
  const [south, , north] = bounds;
  const top = mercator(clampLat(north));
  const bottom = mercator(clampLat(south));
  const width = shape[1];
  const perDegree = (top - bottom) / (Math.PI / 180);
  const even = Math.round((width * perDegree) / (bounds[3] - bounds[1])); // pixels as wide as high
  const height = Math.min(MOST_PX, Math.max(shape[0], even));
  const cells = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    const lat = inverse(top - ((y + 0.5) / height) * (top - bottom));
    const row = Math.min(shape[0] - 1, Math.max(0, Math.floor(((north - lat) / (north - south)) * shape[0])));
    for (let x = 0; x < width; x++) cells[y * width + x] = grid.numbers[row * width + x];
  }
  return { width, height, cells };
}

/** @param {number} lat Degrees. */
export const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));

/** @param {number} y */
export const inverse = (y) => ((2 * Math.atan(Math.exp(y)) - Math.PI / 2) * 180) / Math.PI;

/**
 * Bytes of a color each, from low to high, transparent ones at the low end.
 *
 * @param {string[]} colors Like "#1b2a32".
 * @param {number} lowOpacity
 */
export function bytesOf(colors, lowOpacity) {
  const bytes = new Uint32Array(colors.length);
  colors.forEach((color, i) => {
    const rgb = parseInt(color.slice(1), 16);
    const alpha = Math.round(255 * (lowOpacity + ((1 - lowOpacity) * i) / Math.max(1, colors.length - 1)));
    bytes[i] = ((alpha << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0; // little-endian RGBA
  });
  return bytes;
}

/**
 * The color of each bin of similarity, and how similarities become bins.
 *
 * @param {Float32Array} values One a cell.
 * @param {Rows} grid
 * @param {Coloring} display
 * @param {Uint32Array} colors From `bytesOf`.
 */
export function colorsOfBins(values, grid, display, colors) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = (BINS - 1) / Math.max(high - low, 1e-9);
  const less = shareBelow(values, grid, low, scale);
  const floor = Math.max(display.floor / 100, display.share ? 1 - display.share : 0);
  const valueOf = (/** @type {number} */ bin) => low + bin / scale;
  const isRanked = display.scale === "percentile" && high - low >= display.least_span;
  let start = low;
  if (!isRanked && display.scale !== "absolute") {
    let bin = 0;
    while (bin < BINS - 1 && less[bin + 1] <= floor) bin++;
    start = high - Math.max(high - valueOf(bin), display.least_span);
  }
  const bins = new Uint32Array(BINS);
  for (let bin = 0; bin < BINS; bin++) {
    if (display.share && less[bin + 1] < 1 - display.share) continue; // not painted
    let fraction = (valueOf(bin) - start) / Math.max(high - start, 1e-9);
    if (isRanked) fraction = (less[bin] - floor) / (1 - floor);
    else if (display.scale === "absolute" && display.limits) {
      fraction = (valueOf(bin) - display.limits[0]) / (display.limits[1] - display.limits[0]);
    }
    bins[bin] = colors[Math.min(colors.length - 1, Math.max(0, Math.floor(fraction * colors.length)))];
  }
  return { bins, low, scale };
}

/**
 * Share of the area below each bin; one number more than bins.
 *
 * @param {Float32Array} values
 * @param {Rows} grid
 * @param {number} low
 * @param {number} scale
 */
function shareBelow(values, grid, low, scale) {
  const { bounds, shape } = grid.header;
  const step = (bounds[2] - bounds[0]) / shape[0];
  const areas = Float64Array.from({ length: shape[0] }, (_, row) => {
    return Math.cos(((bounds[2] - (row + 0.5) * step) * Math.PI) / 180);
  });
  const less = new Float64Array(BINS + 1);
  for (let cell = 0; cell < values.length; cell++) {
    less[((values[cell] - low) * scale + 1) | 0] += areas[grid.rowOf[cell]];
  }
  for (let bin = 1; bin <= BINS; bin++) less[bin] += less[bin - 1];
  return less.map((sum) => sum / less[BINS]);
}

/**
 * Color the pixels of a picture.
 *
 * @param {Uint32Array} pixels RGBA as one number each; written.
 * @param {Int32Array} cells From `pictureOf`.
 * @param {Float32Array} values
 * @param {{ bins: Uint32Array, low: number, scale: number }} colors From `colorsOfBins`.
 */
export function paint(pixels, cells, values, { bins, low, scale }) {
  for (let at = 0; at < pixels.length; at++) {
    const cell = cells[at];
    pixels[at] = cell < 0 ? 0 : bins[((values[cell] - low) * scale) | 0];
  }
}
