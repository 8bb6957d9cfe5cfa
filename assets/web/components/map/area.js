// The area that queries are answered in: what lies outside is dimmed, and a line runs round it.

/** @import { Pane } from "./pane.js" */

/** @type {[number, number][]} */
const EVERYWHERE = [
  [-90, -540],
  [-90, 540],
  [90, 540],
  [90, -540],
];

export class Area {
  /** @param {Pane} pane */
  constructor(pane) {
    this.pane = pane;
    /** @type {L.Layer[]} */
    this.layers = [];
    this.shown = "null";
  }

  /** @param {[number, number, number, number] | null} bounds South, west, north, east; null for everywhere. */
  show(bounds) {
    const shown = JSON.stringify(bounds);
    if (shown === this.shown) return;
    this.shown = shown;
    for (const layer of this.layers) layer.remove();
    this.layers = bounds ? this.drawn(bounds) : [];
  }

  /** @param {[number, number, number, number]} bounds */
  drawn([south, west, north, east]) {
    const { L, map } = this.pane;
    /** @type {[number, number][]} */
    const corners = [
      [south, west],
      [north, west],
      [north, east],
      [south, east],
    ];
    // Leaflet draws no further than the padding before a drag ends: half a window more on each side is enough.
    const look = { interactive: false, renderer: L.svg({ padding: 0.5 }) };
    return [
      L.polygon([EVERYWHERE, corners], { ...look, stroke: false, className: "ugc-area-outside" }).addTo(map),
      L.polygon(corners, { ...look, fill: false, className: "ugc-area-casing" }).addTo(map),
      L.polygon(corners, { ...look, fill: false, className: "ugc-area-line" }).addTo(map),
    ];
  }
}
