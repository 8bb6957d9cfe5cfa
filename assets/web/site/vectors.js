// Vectors of points and of queries along the components of a compact grid.

/** @import { CompactGrid } from "../components/map/compact-grid.js" */
/** @import { Places, PointVector, Position } from "./page" */

/**
 * The unit vector of a point; null where no cell counts.
 *
 * @param {CompactGrid} grid
 * @param {Position} at
 * @returns {PointVector | null}
 */
export function vectorAt(grid, at) {
  const { mean, square, step, components } = grid.header;
  const codes = grid.codesAt(at);
  if (!codes) return null;
  const along = new Float32Array(components);
  let length2 = square; // what of the mean lies along no component is part of every vector
  for (let i = 0; i < components; i++) {
    along[i] = codes[i] * step + mean[i];
    length2 += along[i] * along[i] - mean[i] * mean[i];
  }
  const length = Math.sqrt(Math.max(length2, 1e-12));
  return { along: along.map((value) => value / length), rest: 1 / length };
}

/**
 * Similarities of all cells to a vector.
 *
 * @param {CompactGrid} grid
 * @param {ArrayLike<number>} along
 * @param {number} constant Its product with the mean vector.
 */
export function similarities(grid, along, constant) {
  const { step } = grid.header;
  return grid.meansOfProducts(
    Float64Array.from(along, (value) => value * step),
    constant,
  );
}

/**
 * The product of a point's vector with the mean vector of its grid.
 *
 * @param {CompactGrid} grid
 * @param {PointVector} point
 */
export function withMean(grid, { along, rest }) {
  const { mean, square } = grid.header;
  let product = rest * square;
  for (let i = 0; i < along.length; i++) product += (along[i] - rest * mean[i]) * mean[i];
  return product;
}

/**
 * Numbers of the places closest to a point, the closest first.
 *
 * @param {PointVector} point
 * @param {Places} places
 * @param {Int8Array} codes Place by place, as many as the point has components.
 * @param {number} count
 * @returns {{ number: number, similarity: number }[]}
 */
export function closest({ along, rest }, places, codes, count) {
  const found = places.items.map((_, number) => {
    let product = 0;
    for (let i = 0; i < along.length; i++) product += along[i] * codes[number * along.length + i];
    const similarity = product * places.step + rest * places.rest[number];
    return { number, similarity, score: similarity - places.offsets[number] };
  });
  return found.sort((a, b) => b.score - a.score).slice(0, count);
}
