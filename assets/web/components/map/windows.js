// Sums over the neighbors of every cell of a grid, by running sums along its rows.

export class Windows {
  /**
   * @param {number[][]} reach For each row: columns to either side that count, in rows above to below; -1: none.
   * @param {[number, number]} shape Rows and columns.
   * @param {boolean} isRing Whether the last column is beside the first: a grid round the globe has no ends.
   */
  constructor(reach, [rows, columns], isRing) {
    this.reach = reach;
    this.rows = rows;
    this.columns = columns;
    this.isRing = isRing;
    /** Columns before the first and after the last one, so that no window is cut off. */
    this.margin = Math.max(0, ...reach.flat());
    /** Running sums of each row, zero first. */
    this.running = new Float64Array(rows * (columns + 2 * this.margin + 1));
    /** Sums over windows, row by row. */
    this.sums = new Float64Array(rows * columns);
  }

  /**
   * @param {Float32Array} values Row by row; zero where a cell does not count.
   * @returns {Float64Array} `sums`, the same array at every call.
   */
  sumUp(values) {
    this.run(values);
    const { columns, margin, reach, rows, running, sums } = this;
    const wide = columns + 2 * margin + 1;
    sums.fill(0);
    for (let row = 0; row < rows; row++) {
      const most = (reach[row].length - 1) / 2;
      for (let offset = -most; offset <= most; offset++) {
        const half = reach[row][offset + most];
        if (half < 0 || row + offset < 0 || row + offset >= rows) continue;
        const low = (row + offset) * wide + margin - half;
        const high = low + 2 * half + 1;
        const to = row * columns;
        for (let i = 0; i < columns; i++) sums[to + i] += running[high + i] - running[low + i];
      }
    }
    return sums;
  }

  /** @param {Float32Array} values */
  run(values) {
    const { columns, isRing, margin, rows, running } = this;
    for (let row = 0, at = 0; row < rows; row++) {
      const from = row * columns;
      let sum = 0;
      at += 1; // zero first
      for (let i = 0; i < margin; i++) running[at++] = sum += isRing ? values[from + columns - margin + i] : 0;
      for (let i = 0; i < columns; i++) running[at++] = sum += values[from + i];
      for (let i = 0; i < margin; i++) running[at++] = sum += isRing ? values[from + i] : 0;
    }
  }
}
