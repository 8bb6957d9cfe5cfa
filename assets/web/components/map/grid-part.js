// The part of a compact grid that lies in an area. An answer of the server is limited to it, and so is what is colored here.

import { pictureOf } from "./painter.js";

/** @import { CompactGrid } from "./compact-grid.js" */

const ROUNDING_DEG = 1e-9;

export class GridPart {
  /**
   * @param {CompactGrid} grid
   * @param {[number, number, number, number] | null} area South, west, north, east; east may be beyond 180. Null: all.
   */
  constructor(grid, area) {
    this.header = grid.header;
    /** Numbers of its cells; null for all of them. */
    this.kept = area && cellsWithin(grid, area);
    this.rowOf = this.kept ? this.kept.map((number) => grid.rowOf[number]) : grid.rowOf;
    this.picture = pictureOf(grid);
    this.values = new Float32Array(this.kept?.length ?? 0);
    if (!this.kept) return;
    const isKept = new Uint8Array(grid.header.cells);
    for (const number of this.kept) isKept[number] = 1;
    const { cells } = this.picture;
    for (let at = 0; at < cells.length; at++) if (cells[at] >= 0 && !isKept[cells[at]]) cells[at] = -1;
  }

  /** How many cells it has. */
  get size() {
    return this.rowOf.length;
  }

  /**
   * The values of its cells.
   *
   * @param {Float32Array} all One a cell of the grid.
   * @returns {Float32Array} The same array at every call.
   */
  of(all) {
    if (!this.kept) return all;
    for (let i = 0; i < this.kept.length; i++) this.values[i] = all[this.kept[i]];
    return this.values;
  }
}

/**
 * Numbers of the cells whose centers lie in an area, edges included.
 *
 * @param {CompactGrid} grid
 * @param {[number, number, number, number]} area
 */
function cellsWithin({ header, cells }, [south, west, north, east]) {
  const [bottom, left, top, right] = header.bounds;
  const [rows, columns] = header.shape;
  /** @type {number[]} */
  const kept = [];
  cells.forEach((at, number) => {
    const lat = top - ((Math.floor(at / columns) + 0.5) / rows) * (top - bottom);
    const lng = left + (((at % columns) + 0.5) / columns) * (right - left);
    const along = (((lng - west + ROUNDING_DEG) % 360) + 360) % 360;
    const isIn = lat >= south - ROUNDING_DEG && lat <= north + ROUNDING_DEG;
    if (isIn && along <= east - west + 2 * ROUNDING_DEG) kept.push(number);
  });
  return Int32Array.from(kept);
}
