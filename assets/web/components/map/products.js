// Products of the codes of many cells with the weights of their components: by SIMD in WebAssembly, several times as fast
// as a loop here; where that is not to be had, by the loop.

const LANES = 8; // components that one instruction multiplies
const PAGE = 65536; // bytes: the unit of WebAssembly's memory
const MOST_WEIGHT = 2 ** 15 - 1; // int16
const MOST_SUM = 2 ** 31 - 1; // int32

/** The bytes of products.wat, base64: so few that they need not be fetched. */
export const MODULE =
  "AGFzbQEAAAABCQFgBX9/f39/AAMCAQAFAwEAAQcVAgZtZW1vcnkCAAhwcm9kdWN0cwAACpIBAY8BAgN/AXsgACABIANsaiEFAkADQCAAIAVPDQH9DAAAAAAAAAAAAAAAAAAAAAAhCCACIQcgACADaiEGA0AgCCAA/QEDACAH/QAEAP26Af2uASEIIABBCGohACAHQRBqIQcgACAGSQ0ACyAEIAj9GwAgCP0bAWogCP0bAiAI/RsDamo2AgAgBEEEaiEEDAALCws=";

/**
 * @typedef {object} Exports Of the module.
 * @property {WebAssembly.Memory} memory
 * @property {(codes: number, cells: number, weights: number, components: number, sums: number) => void} products
 */

export class Products {
  /**
   * @param {number} cells
   * @param {number} components
   * @param {Exports | null} [exports] Null to do without WebAssembly.
   */
  constructor(cells, components, exports = instantiated()) {
    this.components = components;
    /** From one cell's codes to the next one's: what is over stays zero. */
    this.stride = Math.ceil(components / LANES) * LANES;
    this.exports = exports;
    this.sumsAt = 2 * this.stride; // after the weights
    this.codesAt = this.sumsAt + 4 * cells;
    const bytes = this.codesAt + cells * this.stride;
    exports?.memory.grow(Math.ceil(bytes / PAGE));
    const buffer = exports?.memory.buffer ?? new ArrayBuffer(bytes);
    this.weights = new Int16Array(buffer, 0, this.stride);
    this.sums = new Int32Array(buffer, this.sumsAt, cells);
    this.most = 0; // that a weight may be, so that no sum overflows: found when the codes are there
    /** Cell by cell. */
    this.codes = new Int8Array(buffer, this.codesAt, cells * this.stride);
  }

  /**
   * Products of all cells with `weights`, into `sums`. Weights are rounded to whole numbers, far finer than the codes.
   *
   * @param {ArrayLike<number>} weights One a component.
   * @returns {number} What one of the sums is worth.
   */
  multiply(weights) {
    const { components, sums } = this;
    this.most ||= Math.min(MOST_WEIGHT, Math.floor(MOST_SUM / (components * this.largestCode())));
    let largest = 1e-12;
    for (let i = 0; i < components; i++) largest = Math.max(largest, Math.abs(weights[i]));
    const unit = largest / this.most;
    for (let i = 0; i < components; i++) this.weights[i] = Math.round(weights[i] / unit);
    if (this.exports) this.exports.products(this.codesAt, sums.length, 0, this.stride, this.sumsAt);
    else this.multiplyPlainly();
    return unit;
  }

  largestCode() {
    return this.codes.reduce((largest, code) => Math.max(largest, Math.abs(code)), 1);
  }

  multiplyPlainly() {
    const { codes, stride, sums, weights } = this;
    for (let cell = 0, from = 0; cell < sums.length; cell++, from += stride) {
      let sum = 0;
      for (let i = 0; i < stride; i++) sum += codes[from + i] * weights[i];
      sums[cell] = sum;
    }
  }
}

/** A module with a memory of its own, or null where the browser has no SIMD or forbids WebAssembly. */
function instantiated() {
  try {
    const bytes = Uint8Array.from(atob(MODULE), (char) => char.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    return /** @type {Exports} */ (/** @type {unknown} */ (exports));
  } catch {
    return null;
  }
}
