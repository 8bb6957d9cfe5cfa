// The vectors of an atlas's grid, compressed for a browser: a heatmap is computed from them in some milliseconds.
// `unigeoclip/similarity/browser/compact.py` says how they are made, and writes the bytes that `readCompact` reads.

import { Products } from "./products.js";
import { cellAt } from "./values.js";
import { Windows } from "./windows.js";

/** @import { PointEncoder } from "./point-encoder.js" */

const FORMAT = 1;

/**
 * @typedef {object} Header
 * @property {number} format
 * @property {string} [id] Tells its codes from others.
 * @property {[number, number, number, number]} bounds South, west, north, east, degrees.
 * @property {[number, number]} shape Rows and columns.
 * @property {number} cells How many count.
 * @property {number} components
 * @property {number} step Length of a step of the codes.
 * @property {number[]} mean Products of the mean vector with each component.
 * @property {number} square Of the mean vector's length.
 * @property {number[][]} reach For each row: columns to either side that are averaged, in rows above to below; -1: none.
 */

/**
 * @param {ArrayBuffer} buffer
 * @throws {Error} It is none, or of another version.
 */
export async function readCompact(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  /** @type {Header} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  if (header.format !== FORMAT) throw new Error(`The compact grid has format ${header.format}, not ${FORMAT}.`);
  const unpacked = new Blob([new Uint8Array(buffer, 4 + size)])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const body = new Int8Array(await new Response(unpacked).arrayBuffer());
  const [rows, columns] = header.shape;
  const bits = new Uint8Array(body.buffer, 0, Math.ceil((rows * columns) / 8));
  if (body.length !== bits.length + header.cells * header.components) throw new Error("The compact grid is cut off.");
  return new CompactGrid(header, bits, body.subarray(bits.length));
}

/**
 * @typedef {object} PointVector A unit vector.
 * @property {Float32Array} along Its products with the components.
 * @property {number} rest How much of the part of the mean that lies along no component it holds.
 */

export class CompactGrid {
  /**
   * @param {Header} header
   * @param {Uint8Array} bits The mask, a bit a cell.
   * @param {Int8Array} differences Component by component, each cell's code less that of the one before.
   */
  constructor(header, bits, differences) {
    this.header = header;
    const [rows, columns] = header.shape;
    const { cells, components } = header;
    /** Number of each cell that counts, -1 elsewhere. */
    this.numbers = new Int32Array(rows * columns).fill(-1);
    /** Where each lies, row by row. */
    this.cells = new Int32Array(cells);
    this.rowOf = new Int32Array(cells);
    let number = 0;
    for (let at = 0; at < rows * columns; at++) {
      if (!((bits[at >> 3] >> (7 - (at & 7))) & 1)) continue;
      this.rowOf[number] = Math.floor(at / columns);
      this.cells[number] = at;
      this.numbers[at] = number++;
    }
    this.products = new Products(cells, components);
    const { codes, stride } = this.products;
    for (let component = 0; component < components; component++) {
      let code = 0;
      for (let cell = 0; cell < cells; cell++) {
        code = ((code + differences[component * cells + cell]) << 24) >> 24;
        codes[cell * stride + component] = code;
      }
    }
    this.windows = new Windows(header.reach, header.shape, this.isRing);
    this.filled = new Float32Array(rows * columns);
    for (const at of this.cells) this.filled[at] = 1;
    const counts = this.windows.sumUp(this.filled);
    this.counts = Float32Array.from(this.cells, (at) => counts[at]);
    this.values = new Float32Array(cells);
  }

  /**
   * Number of the cell at a position; -1 where none counts. Longitudes may be a whole turn away.
   *
   * @param {{ lat: number, lng: number }} position
   */
  cellAt(position) {
    const [height, width] = this.header.shape;
    const cell = cellAt(this.header.bounds, { width, height }, position);
    return cell ? this.numbers[cell.row * width + cell.column] : -1;
  }

  /**
   * The codes at a position, interpolated between the centers of the cells around, of those that count; null where the
   * position's own cell does not.
   *
   * @param {{ lat: number, lng: number }} position
   */
  codesAt(position) {
    if (this.cellAt(position) < 0) return null;
    const { bounds, components, shape } = this.header;
    const { codes, stride } = this.products;
    const [south, west, north, east] = bounds;
    const down = ((north - position.lat) / (north - south)) * shape[0] - 0.5;
    const along = (((((position.lng - west) % 360) + 360) % 360) / (east - west)) * shape[1] - 0.5;
    const mixed = new Float64Array(components);
    let total = 0;
    for (const row of [Math.floor(down), Math.floor(down) + 1]) {
      for (const column of [Math.floor(along), Math.floor(along) + 1]) {
        const cell = this.cellIn(row, column);
        if (cell < 0) continue;
        const weight = (1 - Math.abs(down - row)) * (1 - Math.abs(along - column));
        total += weight;
        for (let i = 0; i < components; i++) mixed[i] += weight * codes[cell * stride + i];
      }
    }
    return mixed.map((code) => code / total);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  cellIn(row, column) {
    const [rows, columns] = this.header.shape;
    const at = this.isRing ? (column + columns) % columns : column;
    return row < 0 || row >= rows || at < 0 || at >= columns ? -1 : this.numbers[row * columns + at];
  }

  get isRing() {
    const [, west, , east] = this.header.bounds;
    return east - west === 360;
  }

  /**
   * The unit vector of a position, along the components; null where no cell counts.
   *
   * @param {{ lat: number, lng: number }} position
   * @param {PointEncoder | null} [encoder] Without one that is made for this grid, it is interpolated between cells.
   * @returns {PointVector | null}
   */
  vectorAt(position, encoder = null) {
    if (encoder && encoder.header.grid === this.header.id)
      return this.cellAt(position) < 0 ? null : encoder.vectorAt(position);
    const { mean, square, step } = this.header;
    const codes = this.codesAt(position);
    if (!codes) return null;
    const along = Float32Array.from(codes, (code, i) => code * step + mean[i]);
    let length2 = square; // what of the mean lies along no component is part of every vector
    along.forEach((value, i) => (length2 += value * value - mean[i] * mean[i]));
    const length = Math.sqrt(Math.max(length2, 1e-12));
    return { along: along.map((value) => value / length), rest: 1 / length };
  }

  /**
   * The product of a position's vector with the mean vector.
   *
   * @param {PointVector} vector
   */
  withMean({ along, rest }) {
    const { mean, square } = this.header;
    return along.reduce((sum, value, i) => sum + (value - rest * mean[i]) * mean[i], rest * square);
  }

  /**
   * How similar every cell is to a position: the mean of the products with a cell's neighbors, as on the server.
   *
   * @param {{ lat: number, lng: number }} position
   * @param {PointEncoder | null} [encoder] See `vectorAt`.
   * @returns {Float32Array | null} One number a cell, the same array at every call; null where no cell counts.
   */
  similaritiesTo(position, encoder = null) {
    const vector = this.vectorAt(position, encoder);
    return vector && this.similarities(vector.along, this.withMean(vector));
  }

  /**
   * @param {ArrayLike<number>} along A vector, along the components.
   * @param {number} constant Its product with the mean vector.
   */
  similarities(along, constant) {
    const { step } = this.header;
    return this.meansOfProducts(
      Float64Array.from(along, (value) => value * step),
      constant,
    );
  }

  /**
   * The mean over each cell's neighbors of the products with weights of the components, plus a constant.
   *
   * @param {Float64Array} weights
   * @param {number} constant
   */
  meansOfProducts(weights, constant) {
    const { cells, counts, filled, products, values, windows } = this;
    const unit = products.multiply(weights);
    for (let cell = 0; cell < cells.length; cell++) filled[cells[cell]] = products.sums[cell];
    const sums = windows.sumUp(filled);
    for (let cell = 0; cell < cells.length; cell++) {
      values[cell] = (sums[cells[cell]] / counts[cell]) * unit + constant;
    }
    return values;
  }
}
