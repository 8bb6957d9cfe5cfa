// Which places are closest to a point, by vectors along the components of a compact grid.

/** @import { Places, PointVector } from "./page" */

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
