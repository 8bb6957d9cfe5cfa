// How much of the area reaches a similarity: the true areas of the cells of a grid, summed by steps of similarity.

import { clampLat } from "./geometry.js";
import { inverse, mercator } from "./painter.js";

/** @import { AreaGrid } from "../../protocol" */

/** @typedef {{ width: number, height: number, data: ArrayLike<number> }} Pixels RGBA */

const EARTH_KM = 6371.0088; // mean radius, as in `unigeoclip.geo`
const MOST_PX = 1024;

export class Areas {
  /**
   * @param {AreaGrid} spec
   * @param {Pixels} pixels Of the picture at `spec.url`.
   */
  constructor(spec, pixels) {
    this.spec = spec;
    this.pixels = pixels;
    /** Area of the cells that reach step k, by k from 1 on; the first is all. */
    this.reaching = new Float64Array(257);
    const { width, height, data } = pixels;
    const rows = rowAreas(spec.bounds, width, height);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const code = data[4 * (row * width + column)];
        if (code) this.reaching[code] += rows[row];
      }
    }
    for (let code = 255; code > 0; code--) this.reaching[code] += this.reaching[code + 1];
    this.most = 255; // the step of the most similar cell
    while (this.most > 1 && !this.reaching[this.most]) this.most--;
  }

  /**
   * The step that stands for a similarity: the first that is not below it; beyond the highest there is one more.
   *
   * @param {number} similarity
   */
  codeOf(similarity) {
    const { low, step } = this.spec;
    return Math.max(1, Math.min(this.most + 1, Math.ceil((similarity - low) / step - 1e-6) + 1));
  }

  /**
   * The similarity of a step.
   *
   * @param {number} code
   */
  similarityOf(code) {
    const { low, step } = this.spec;
    return Number((low + (code - 1) * step).toFixed(4)); // what rounding leaves is no similarity
  }

  /**
   * Square kilometers that reach a step, and which share of all that is.
   *
   * @param {number} code
   */
  above(code) {
    const km2 = this.reaching[code];
    return { km2, share: km2 / this.reaching[1] };
  }

  /** Size of a picture of the grid in web Mercator: pixels as wide as high. */
  get size() {
    const [south, west, north, east] = this.spec.bounds;
    const { width, height } = this.pixels;
    const span = ((mercator(clampLat(north)) - mercator(clampLat(south))) * 180) / Math.PI;
    return { width, height: Math.min(MOST_PX, Math.max(height, Math.round((width * span) / (east - west)))) };
  }

  /**
   * Veil the cells that do not reach a step.
   *
   * @param {Uint32Array} picture Of `size`, in web Mercator; written.
   * @param {number} code
   * @param {number} veil Color.
   */
  paint(picture, code, veil) {
    const [south, , north] = this.spec.bounds;
    const top = mercator(clampLat(north));
    const bottom = mercator(clampLat(south));
    const { width, height } = this.size;
    for (let y = 0; y < height; y++) {
      const lat = inverse(top - ((y + 0.5) / height) * (top - bottom));
      const row = Math.floor(((north - lat) / (north - south)) * this.pixels.height);
      const begin = Math.min(this.pixels.height - 1, Math.max(0, row)) * width;
      for (let x = 0; x < width; x++) {
        const reached = this.pixels.data[4 * (begin + x)];
        picture[y * width + x] = reached && reached < code ? veil : 0;
      }
    }
  }
}

/**
 * Area of a cell of each row on the mean sphere, square kilometers.
 *
 * @param {[number, number, number, number]} bounds
 * @param {number} width
 * @param {number} height
 */
export function rowAreas([south, west, north, east], width, height) {
  const across = (((east - west) / width) * Math.PI) / 180;
  const sine = (/** @type {number} */ row) => Math.sin(((north - (row / height) * (north - south)) * Math.PI) / 180);
  return Float64Array.from({ length: height }, (_, row) => EARTH_KM ** 2 * across * (sine(row) - sine(row + 1)));
}

/**
 * "12 % of the land, 17.9 million km²".
 *
 * @param {{ km2: number, share: number }} area
 * @param {string} land
 */
export function areaInWords({ km2, share }, land) {
  const percent = share * 100;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  const size =
    km2 >= 1e6
      ? `${(km2 / 1e6).toFixed(km2 >= 1e7 ? 1 : 2)} million`
      : km2.toLocaleString("en-US", { maximumFractionDigits: km2 < 100 ? 1 : 0 });
  return `${percent.toFixed(digits)} % of ${land}, ${size} km²`;
}
