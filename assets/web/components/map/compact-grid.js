// The vectors of an atlas's grid, compressed for a browser: a heatmap is computed from them in some milliseconds.
// `unigeoclip/similarity/compact.py` says how they are made, and writes the bytes that `readCompact` reads.

import { cellAt } from "./values.js";

const FORMAT = 1;
// Two cells are multiplied at once: their codes are packed into one number, of whose 53 bits each sum may use half.
const HIGH = 2 ** 26;

/**
 * @typedef {object} Header
 * @property {number} format
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
    this.rowOf = new Int32Array(cells);
    let number = 0;
    for (let at = 0; at < rows * columns; at++) {
      if (!((bits[at >> 3] >> (7 - (at & 7))) & 1)) continue;
      this.rowOf[number] = Math.floor(at / columns);
      this.numbers[at] = number++;
    }
    this.codes = new Int8Array(cells * components); // cell by cell
    let largest = 1;
    for (let component = 0; component < components; component++) {
      let code = 0;
      for (let cell = 0; cell < cells; cell++) {
        code = ((code + differences[component * cells + cell]) << 24) >> 24;
        this.codes[cell * components + component] = code;
        largest = Math.max(largest, Math.abs(code));
      }
    }
    /** The largest whole number that the weight of a component may be. */
    this.most = Math.floor(HIGH / 2 / (largest * components));
    this.pairs = new Float64Array(Math.ceil(cells / 2) * components);
    for (let cell = 0; cell < cells; cell++) {
      const unit = cell % 2 ? HIGH : 1;
      const from = cell * components;
      const to = (cell >> 1) * components;
      for (let i = 0; i < components; i++) this.pairs[to + i] += this.codes[from + i] * unit;
    }
    this.around = this.isRing ? Math.max(...header.reach.flat()) : 0; // columns that are neighbors over the date line
    this.products = new Float32Array(cells);
    this.counts = this.windowSums(new Float32Array(cells).fill(1));
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
        for (let i = 0; i < components; i++) mixed[i] += weight * this.codes[cell * components + i];
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
   * How similar every cell is to a position: the mean of the products with a cell's neighbors, as on the server.
   *
   * @param {{ lat: number, lng: number }} position
   * @returns {Float32Array | null} One number a cell, the same array at every call; null where no cell counts.
   */
  similaritiesTo(position) {
    const { mean, square, step, components } = this.header;
    const codes = this.codesAt(position);
    if (!codes) return null;
    const along = codes.map((code, i) => code * step + mean[i]); // the position's vector, along the components
    // Its length: what of the mean lies along no component is part of every vector.
    let rest = square;
    let length2 = 0;
    for (let i = 0; i < components; i++) {
      rest -= mean[i] * mean[i];
      length2 += along[i] * along[i];
    }
    const length = Math.sqrt(Math.max(length2 + rest, 1e-12));
    let constant = rest;
    for (let i = 0; i < components; i++) constant += along[i] * mean[i];
    const weights = along.map((value) => (value * step) / length);
    this.multiply(weights, constant / length);
    return this.meanOverNeighbors(this.products);
  }

  /**
   * Products of all cells with weights of the components, plus a constant, into `products`. Weights are rounded to whole
   * numbers, far finer than the codes, so that sums are exact and those of two cells can be told apart.
   *
   * @param {ArrayLike<number>} weights
   * @param {number} constant
   */
  multiply(weights, constant) {
    const { pairs, products, most } = this;
    const { components } = this.header;
    let largest = 1e-12;
    for (let i = 0; i < components; i++) largest = Math.max(largest, Math.abs(weights[i]));
    const unit = largest / most;
    const whole = Float64Array.from(weights, (weight) => Math.round(weight / unit));
    const even = components & ~1;
    for (let cell = 0, at = 0; cell < products.length; cell += 2) {
      let a = 0;
      let b = 0;
      for (let i = 0; i < even; i += 2, at += 2) {
        a += pairs[at] * whole[i];
        b += pairs[at + 1] * whole[i + 1];
      }
      if (even < components) a += pairs[at++] * whole[even];
      const both = a + b;
      const second = Math.round(both / HIGH);
      products[cell] = (both - second * HIGH) * unit + constant;
      if (cell + 1 < products.length) products[cell + 1] = second * unit + constant;
    }
  }

  /** @param {Float32Array} values One a cell; written over. */
  meanOverNeighbors(values) {
    const sums = this.windowSums(values);
    for (let cell = 0; cell < values.length; cell++) values[cell] = sums[cell] / this.counts[cell];
    return values;
  }

  /**
   * Sums over the neighbors of each cell, by running sums along the rows; a grid round the globe has no ends.
   *
   * @param {Float32Array} values One a cell.
   */
  windowSums(values) {
    const { around } = this;
    const { reach, shape } = this.header;
    const [rows, columns] = shape;
    const wide = columns + 2 * around;
    const running = new Float64Array(rows * (wide + 1));
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let at = 0; at < wide; at++) {
        const number = this.numbers[row * columns + ((at - around + columns) % columns)];
        if (number >= 0) sum += values[number];
        running[row * (wide + 1) + at + 1] = sum;
      }
    }
    const sums = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      const most = (reach[row].length - 1) / 2;
      for (let offset = -most; offset <= most; offset++) {
        const other = row + offset;
        const half = reach[row][offset + most];
        if (half < 0 || other < 0 || other >= rows) continue;
        const line = other * (wide + 1);
        for (let column = 0; column < columns; column++) {
          const number = this.numbers[row * columns + column];
          if (number < 0) continue;
          const low = Math.max(0, column + around - half);
          const high = Math.min(wide, column + around + half + 1);
          sums[number] += running[line + high] - running[line + low];
        }
      }
    }
    return sums;
  }
}
