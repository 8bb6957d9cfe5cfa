// What lies below a heatmap and the lines above it: base maps, coasts and borders, the outline of the best area.

import { linesOf } from "./geometry.js";

/** @import { GeoJsonObject } from "geojson" */
/** @import { BaseMap, LineLayer } from "../../protocol" */
/** @import { Pane } from "./pane.js" */

export class BaseLayers {
  /**
   * @param {Pane} pane
   * @param {BaseMap} base
   */
  constructor(pane, base) {
    this.pane = pane;
    /** @type {Map<string, { layer: L.TileLayer, online?: boolean }>} */
    this.layers = new Map();
    for (const style of base.styles) this.addStyle(style, base.max_zoom);
    // Lines lie above the heatmap: a coast that shines through is how one reads where the colors are.
    pane.map.createPane("lines").classList.add("ugc-lines");
    this.renderer = pane.L.svg({ pane: "lines", padding: 0.5 });
    /** @type {L.GeoJSON | null} */
    this.outline = null;
    /** @type {string | null} */
    this.outlineUrl = null;
    for (const lines of base.vectors) this.addLines(lines);
  }

  /**
   * @param {BaseMap["styles"][number]} style
   * @param {number} maxZoom
   */
  addStyle(style, maxZoom) {
    const { L, map, bounds, owner } = this.pane;
    const name = `base-${style.id}`;
    map.createPane(name).classList.add("ugc-base", `ugc-${name}`);
    const layer = L.tileLayer(style.tiles, {
      pane: name,
      bounds,
      noWrap: true,
      maxNativeZoom: style.max_native_zoom,
      maxZoom,
      updateWhenZooming: false,
      keepBuffer: 3,
      // OpenStreetMap wants to know which server asks; never what for, which stands in the rest of the address.
      referrerPolicy: style.online ? "origin" : false,
    });
    if (style.online) {
      layer.on("tileerror", () => this.pane.controls.sayOffline(style.id));
      layer.on("tileload", () => this.pane.controls.markBase(owner.memory.base));
    }
    this.layers.set(style.id, { layer, online: style.online });
  }

  /**
   * Show one base map. It is fetched when it is first looked at, and stays: the style sheet fades between them. One
   * from the internet goes when another is chosen, so that nothing more is asked of it.
   *
   * @param {string} id
   */
  show(id) {
    const { map } = this.pane;
    for (const [each, { layer, online }] of this.layers) {
      map.getPane(`base-${each}`)?.classList.toggle("is-shown", each === id);
      if (each === id) layer.addTo(map);
      else if (online) layer.remove();
    }
  }

  /** @param {LineLayer} lines */
  async addLines({ url, kind }) {
    const response = await fetch(url);
    if (!response.ok) return;
    const document = await response.json();
    if (this.pane.gone) return; // another map stands here by now
    const style = { className: `ugc-line ugc-line-${kind}`, weight: 1, smoothFactor: 1.4 };
    this.draw(linesOf(document), style);
  }

  /**
   * Show the line round the best area, or none.
   *
   * @param {string | null} url
   */
  async setOutline(url) {
    if (url === this.outlineUrl) return;
    this.outlineUrl = url;
    this.outline?.remove();
    this.outline = null;
    if (!url) return;
    const response = await fetch(url);
    const document = response.ok ? await response.json() : null;
    if (!document || this.pane.gone || this.outlineUrl !== url) return;
    this.outline = this.draw(document, { className: "ugc-outline", weight: 2, smoothFactor: 0.5 });
  }

  /**
   * @param {GeoJsonObject | GeoJsonObject[]} document
   * @param {{ className: string, weight: number, smoothFactor: number }} style
   */
  draw(document, style) {
    /** @type {L.GeoJSONOptions & { renderer: L.Renderer, pane: string }} Leaflet hands options of paths on */
    const options = { pane: "lines", renderer: this.renderer, style: { ...style, fill: false, interactive: false } };
    return this.pane.L.geoJSON(document, options).addTo(this.pane.map);
  }
}
