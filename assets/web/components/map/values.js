// What the heatmap says under the pointer: a small grey picture of percentiles, fetched when somebody first points.

/** @import { PercentileGrid } from "../../protocol" */

/**
 * Column and row of a position in a picture of `bounds`; null beyond its edges. Longitudes may be a whole turn away.
 *
 * @param {[number, number, number, number]} bounds
 * @param {{ width: number, height: number }} size
 * @param {{ lat: number, lng: number }} position
 */
export function cellAt([south, west, north, east], { width, height }, { lat, lng }) {
  const row = Math.floor(((north - lat) / (north - south)) * height);
  const column = Math.floor((((((lng - west) % 360) + 360) % 360) / (east - west)) * width);
  return row < 0 || row >= height || column < 0 || column >= width ? null : { row, column };
}

export class Values {
  /** @param {PercentileGrid} spec */
  constructor(spec) {
    this.spec = spec;
    /** @type {{ width: number, height: number, data: ArrayLike<number> } | null} RGBA */
    this.pixels = null;
    /** @type {Promise<void> | null} */
    this.fetching = null;
  }

  /**
   * "0.42: more similar than 93 % of the land"; empty off the grid, and until the picture is here.
   *
   * @param {{ lat: number, lng: number }} position
   */
  at(position) {
    this.fetching ??= this.fetch();
    const cell = this.pixels && cellAt(this.spec.bounds, this.pixels, position);
    if (!this.pixels || !cell) return "";
    const code = this.pixels.data[4 * (cell.row * this.pixels.width + cell.column)];
    if (!code) return "";
    const percentile = code - 1;
    return `${this.spec.similarities[percentile]}: more similar than ${percentile} % of ${this.spec.land}`;
  }

  async fetch() {
    this.pixels = await pixelsOf(this.spec.url);
  }
}

/**
 * The pixels of a picture; null where it is no longer kept: the map is then read without figures.
 *
 * @param {string} url
 */
export async function pixelsOf(url) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
