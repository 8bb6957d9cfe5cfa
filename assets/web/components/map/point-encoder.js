// The location encoder of a model, in this browser: the vector of any point, not only of the centers of cells.
// `unigeoclip/similarity/browser/point_encoder.py` writes the bytes that `readEncoder` reads; what is computed is the
// forward pass of `unigeoclip/modalities/location.py`.

import { Products } from "./products.js";

/** @import { PointVector } from "./compact-grid.js" */

const FORMAT = 1;
const EPSILON = 1e-5; // of torch's LayerNorm
const LEAST_SQUARE = 1e-12; // of the part of the mean along no component; unit vectors are compared with it
// Of the Equal Earth projection (Savric, Patterson & Jenny 2019): coefficients of the parametric latitude.
const A1 = 1.340264;
const A2 = -0.081106;
const A3 = 0.000893;
const A4 = 0.003796;
const X_MAX = (2 * Math.sqrt(3) * Math.PI) / (3 * A1); // one unit: x is 1 at 180 degrees east

/**
 * @typedef {object} Header
 * @property {number} format
 * @property {string} grid `id` of the compact grid that it is made for.
 * @property {number} components Outputs that lie along the components of the compact grid: the first ones.
 * @property {number} dim All outputs.
 * @property {number} scales
 * @property {number} width Of a token.
 * @property {number} heads
 * @property {number} depth Blocks of attention.
 * @property {number} registers
 * @property {number} pooled_blocks
 * @property {number[]} coarsest Scales that also lead to the outputs directly.
 * @property {[number, number]} centre Equal Earth x and y.
 * @property {[number, number][]} matrices Rows and columns of each.
 */

/**
 * @param {ArrayBuffer} buffer
 * @throws {Error} It is none, or of another version.
 */
export async function readEncoder(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  /** @type {Header} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  if (header.format !== FORMAT) throw new Error(`The encoder has format ${header.format}, not ${FORMAT}.`);
  const unpacked = new Blob([new Uint8Array(buffer, 4 + size)])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  return new PointEncoder(header, await new Response(unpacked).arrayBuffer());
}

/** A matrix of whole numbers, with a step and a bias for each row. */
class Matrix {
  /**
   * @param {number} rows
   * @param {number} columns
   * @param {Float32Array} steps
   * @param {Float32Array} bias
   */
  constructor(rows, columns, steps, bias) {
    this.rows = rows;
    this.columns = columns;
    this.steps = steps;
    this.bias = bias;
    this.products = new Products(rows, columns);
  }

  /** @param {Int8Array} codes Row by row. */
  fill(codes) {
    const { columns, rows } = this;
    const { stride } = this.products;
    for (let row = 0; row < rows; row++) {
      this.products.codes.set(codes.subarray(row * columns, (row + 1) * columns), row * stride);
    }
  }

  /** @param {Float64Array} vector */
  times(vector) {
    const unit = this.products.multiply(vector);
    return Float64Array.from(this.bias, (bias, row) => this.products.sums[row] * unit * this.steps[row] + bias);
  }
}

export class PointEncoder {
  /**
   * @param {Header} header
   * @param {ArrayBuffer} body
   */
  constructor(header, body) {
    this.header = header;
    const { dim, matrices, registers, scales, width } = header;
    let at = 0;
    /** @param {number} count */
    const floats = (count) => new Float32Array(body, (at += 4 * count) - 4 * count, count);
    /** x, then y, of all scales. */
    this.frequencies = floats(scales * width);
    this.registers = floats(registers * width);
    /** The mean vector of the grid. */
    this.mean = floats(dim);
    this.matrices = matrices.map(([rows, columns]) => new Matrix(rows, columns, floats(rows), floats(rows)));
    for (const matrix of this.matrices) {
      const count = matrix.rows * matrix.columns;
      matrix.fill(new Int8Array(body, at, count));
      at += count;
    }
    if (at !== body.byteLength) throw new Error("The encoder is cut off.");
  }

  /**
   * The unit vector of a position.
   *
   * @param {{ lat: number, lng: number }} position
   * @returns {PointVector}
   */
  vectorAt(position) {
    const { components, dim } = this.header;
    const outputs = this.outputs(position);
    const length = Math.sqrt(outputs.reduce((total, value) => total + value * value, 0)) || 1;
    let product = 0;
    let square = 0;
    for (let i = components; i < dim; i++) {
      product += outputs[i] * this.mean[i];
      square += this.mean[i] ** 2;
    }
    const along = Float32Array.from(outputs.subarray(0, components), (value) => value / length);
    return { along, rest: square > LEAST_SQUARE ? product / square / length : 0 };
  }

  /**
   * @param {{ lat: number, lng: number }} position
   */
  outputs(position) {
    const { coarsest, depth, pooled_blocks, registers, scales, width } = this.header;
    const matrices = this.matrices.values();
    const next = () => /** @type {Matrix} */ (matrices.next().value);
    const waves = this.waves(position);
    let tokens = [...waves];
    for (let i = registers - 1; i >= 0 && depth; i--) {
      tokens.unshift(Float64Array.from(this.registers.subarray(i * width, (i + 1) * width)));
    }
    let pooled = meanOf(waves);
    for (let block = 0; block < depth; block++) {
      const isLast = block === depth - 1;
      const kept = isLast ? scales : tokens.length;
      const mixed = this.attention(next(), next(), tokens, kept);
      tokens = tokens.slice(tokens.length - kept).map((token, i) => sum(token, mixed[i]));
      const [expand, contract] = [next(), next()];
      const hidden = tokens.map((token) => gelu(expand.times(normalized(token))));
      if (isLast) pooled = sum(meanOf(tokens), contract.times(meanOf(hidden)));
      else tokens = tokens.map((token, i) => sum(token, contract.times(hidden[i])));
    }
    for (let block = 0; block < pooled_blocks; block++) {
      const hidden = gelu(next().times(normalized(pooled)));
      pooled = sum(pooled, next().times(hidden));
    }
    const outputs = next().times(normalized(pooled));
    if (!coarsest.length) return outputs;
    const coarse = new Float64Array(coarsest.length * width);
    coarsest.forEach((scale, i) => coarse.set(waves[scale], i * width));
    return sum(outputs, next().times(coarse));
  }

  /**
   * The Fourier features of a position, a token for each scale.
   *
   * @param {{ lat: number, lng: number }} position
   */
  waves(position) {
    const { centre, scales, width } = this.header;
    const half = width / 2;
    // As on the server, where a position has 32 bits once the centre is taken off.
    const [x, y] = equalEarth(position).map((value, i) => Math.fround(value - centre[i]));
    return Array.from({ length: scales }, (_, scale) => {
      const token = new Float64Array(width);
      for (let i = 0; i < half; i++) {
        const at = scale * half + i;
        const phase = 2 * Math.PI * (x * this.frequencies[at] + y * this.frequencies[scales * half + at]);
        token[i] = Math.cos(phase);
        token[half + i] = Math.sin(phase);
      }
      return token;
    });
  }

  /**
   * Multi-head attention of the last tokens to all.
   *
   * @param {Matrix} inner
   * @param {Matrix} outer
   * @param {Float64Array[]} tokens
   * @param {number} kept
   */
  attention(inner, outer, tokens, kept) {
    const { heads, width } = this.header;
    const size = width / heads;
    const all = tokens.map((token) => inner.times(normalized(token))); // query, key, value, one after the other
    return all.slice(all.length - kept).map((asking) => {
      const mixed = new Float64Array(width);
      for (let from = 0; from < width; from += size) {
        const scores = all.map((asked) => {
          let score = 0;
          for (let i = from; i < from + size; i++) score += asking[i] * asked[width + i];
          return score / Math.sqrt(size);
        });
        const largest = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((before, weight) => before + weight, 0);
        all.forEach((asked, t) => {
          for (let i = from; i < from + size; i++) mixed[i] += (weights[t] / total) * asked[2 * width + i];
        });
      }
      return outer.times(mixed);
    });
  }
}

/**
 * @param {{ lat: number, lng: number }} position
 * @returns {[number, number]}
 */
export function equalEarth({ lat, lng }) {
  const lon = ((((lng + 180) % 360) + 360) % 360) - 180;
  const t = Math.asin((Math.sqrt(3) / 2) * Math.sin((lat * Math.PI) / 180));
  const t2 = t * t;
  const t6 = t2 * t2 * t2;
  const slope = A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2);
  const x = (2 * Math.sqrt(3) * ((lon * Math.PI) / 180) * Math.cos(t)) / (3 * slope);
  const y = t * (A1 + A2 * t2 + t6 * (A3 + A4 * t2));
  return [x / X_MAX, y / X_MAX];
}

/** @param {Float64Array} vector With mean 0 and variance 1: what is left of a LayerNorm. */
function normalized(vector) {
  const mean = vector.reduce((total, value) => total + value, 0) / vector.length;
  const variance = vector.reduce((total, value) => total + (value - mean) ** 2, 0) / vector.length;
  const scale = 1 / Math.sqrt(variance + EPSILON);
  return vector.map((value) => (value - mean) * scale);
}

/** @param {Float64Array} vector */
function gelu(vector) {
  return vector.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2)));
}

/**
 * The error function to 1.5e-7 (Abramowitz & Stegun 7.1.26).
 *
 * @param {number} x
 */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/**
 * @param {Float64Array} one
 * @param {Float64Array} other
 */
function sum(one, other) {
  return one.map((value, i) => value + other[i]);
}

/** @param {Float64Array[]} vectors */
function meanOf(vectors) {
  const mean = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i] += vector[i] / vectors.length;
  return mean;
}
