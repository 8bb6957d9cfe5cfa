// Small mathematics of the map: bounds, lines over the date line, zooms and colors.

/** @import { Feature, GeoJsonObject, Geometry, Position } from "geojson" */

const MERCATOR_EDGE_DEG = 85.0511;

/**
 * A latitude that web Mercator can show.
 *
 * @param {number} lat
 */
export function clampLat(lat) {
  return Math.max(-MERCATOR_EDGE_DEG, Math.min(MERCATOR_EDGE_DEG, lat));
}

/**
 * Leaflet's bounds of [south, west, north, east].
 *
 * @param {typeof import("leaflet")} L
 * @param {[number, number, number, number]} bounds
 */
export function toBounds(L, [south, west, north, east]) {
  return L.latLngBounds([clampLat(south), west], [clampLat(north), east]);
}

/**
 * The zoom nearest to `exact` of those a map may have.
 *
 * @param {number} exact
 * @param {number} step
 */
export function snapped(exact, step) {
  return Math.round(exact / step) * step;
}

const LUMA = [0.213, 0.715, 0.072];

/**
 * Brightness of a color, 0 to 1. Streamlit gives those of its theme as #rrggbb; anything else counts as light.
 *
 * @param {string} color
 */
export function luminance(color) {
  const parts = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color.trim());
  return parts ? parts.slice(1).reduce((sum, part, i) => sum + LUMA[i] * (parseInt(part, 16) / 255), 0) : 1;
}

/**
 * The lines of a GeoJSON document, cut at the date line: one that crosses it must not run back round the whole map.
 *
 * @param {GeoJsonObject} document
 * @returns {Feature[]}
 */
export function linesOf(document) {
  const features =
    "features" in document
      ? /** @type {Feature[]} */ (document.features)
      : [{ geometry: /** @type {Geometry} */ (document) }];
  return features.filter((feature) => feature.geometry).map((feature) => cutAtDateLine(feature.geometry));
}

/**
 * @param {Geometry} geometry
 * @returns {Feature}
 */
function cutAtDateLine(geometry) {
  return {
    type: "Feature",
    properties: {},
    geometry: { type: "MultiLineString", coordinates: linear(geometry).flatMap(cut) },
  };
}

/**
 * @param {Geometry} geometry
 * @returns {Position[][]}
 */
function linear(geometry) {
  if (geometry.type === "LineString") return [geometry.coordinates];
  if (geometry.type === "MultiLineString" || geometry.type === "Polygon") return geometry.coordinates;
  return geometry.type === "MultiPolygon" ? geometry.coordinates.flat() : [];
}

/** @param {Position[]} line */
function cut(line) {
  /** @type {Position[][]} */
  const pieces = [];
  line.forEach((point, i) => {
    if (!i || Math.abs(point[0] - line[i - 1][0]) > 180) pieces.push([]);
    pieces[pieces.length - 1].push(point);
  });
  return pieces.filter((piece) => piece.length > 1);
}
