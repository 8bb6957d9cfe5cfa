// The map of one model: base picture, heatmap, lines, markers, legend.

import { el } from "../dom.js";
import { linesOf, toBounds } from "../components/map/geometry.js";
import { Legend } from "../components/map/legend.js";

/** @import { Legend as LegendProps } from "../protocol" */
/** @import { Atlas, Bounds, Model, Position } from "./page" */
/** @import { Site } from "./app.js" */

const STEP_PX = 12; // of the arrow keys; five times that with Shift
const EDGE_PX = 40;
const PADDING = 0.6; // of a city beyond its edges, as a share
const MOST_ZOOMS = 5; // beyond the one that shows all

export class Pane {
  /**
   * @param {Site} site
   * @param {Atlas} atlas
   * @param {Model} model
   */
  constructor(site, atlas, model) {
    const { L } = window;
    this.site = site;
    this.model = model;
    this.id = `${atlas.name}/${model.id}`;
    /** @type {L.Point | null} where the keyboard's cross is, in pixels of the map */
    this.cross = null;
    this.canvas = el("div.site-map", {
      role: "application",
      tabindex: 0,
      "aria-label": `Map of ${model.title}. Arrow keys move a point, Enter keeps it, Escape lets go, plus and minus zoom.`,
    });
    this.legend = new Legend((opacity) => site.setOpacity(opacity));
    const title = el("h2.site-pane-title", { title: model.source }, model.title);
    // Leaflet sees an element that is not in the page yet, and would set position: relative for good.
    Object.assign(this.canvas.style, { position: "absolute", inset: "0" });
    const frame = el("div.site-frame", {}, this.canvas, title);
    this.element = el("section.site-pane", { "aria-label": model.title }, frame, this.legend.element);
    this.map = L.map(this.canvas, {
      attributionControl: false,
      zoomControl: false,
      keyboard: false,
      doubleClickZoom: false,
      zoomSnap: 0.25,
      maxBoundsViscosity: 1,
      trackResize: false,
      inertia: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    this.bounds = toBounds(L, atlas.bounds);
    this.picture = document.createElement("canvas");
    // Leaflet places any element so, not only an SVG.
    const element = /** @type {SVGElement} */ (/** @type {unknown} */ (this.picture));
    this.layer = L.svgOverlay(element, this.bounds, { opacity: site.opacity, interactive: false });
    this.renderer = L.svg({ padding: 0.5 });
    this.markers = L.layerGroup();
    this.listen();
    this.resizer = new ResizeObserver(() => this.fit());
  }

  /** Once the element is in the page: the map needs its size. @param {Atlas} atlas */
  start(atlas) {
    const { L } = window;
    const { map } = this;
    map.createPane("base");
    map.createPane("lines");
    this.fit();
    this.layer.addTo(map);
    this.markers.addTo(map);
    this.resizer.observe(this.canvas);
    const { base, lines } = atlas;
    this.site.parts
      .picture(base.part)
      .then((url) => L.imageOverlay(url, toBounds(L, base.bounds), { pane: "base", alt: "" }).addTo(map))
      .catch((error) => this.site.fail(error));
    for (const { kind, part } of lines) this.addLines(kind, part, atlas.bounds);
    const canvas = this.picture.transferControlToOffscreen();
    this.site.worker.postMessage({ kind: "pane", id: this.id, grid: this.id, canvas }, [canvas]);
  }

  /**
   * @param {string} kind
   * @param {string} part
   * @param {Bounds} bounds Beyond which no lines are drawn.
   */
  async addLines(kind, part, [south, , north]) {
    const document = await this.site.parts.json(part).catch(() => null);
    if (!document) return; // the map is read without its lines, too
    const style = {
      className: `site-line site-line-${kind}`,
      weight: 1,
      fill: false,
      interactive: false,
      smoothFactor: 1.4,
    };
    /** @type {L.GeoJSONOptions & { renderer: L.Renderer, pane: string }} Leaflet hands options of paths on */
    const options = {
      pane: "lines",
      renderer: window.L.svg({ pane: "lines", padding: 0.5 }),
      style,
    };
    const lines = linesOf(document);
    for (const { geometry } of lines) {
      if (geometry.type !== "MultiLineString") continue;
      geometry.coordinates = geometry.coordinates.filter((line) => line.some(([, lat]) => lat > south && lat < north));
    }
    window.L.geoJSON(/** @type {any} */ (lines), options).addTo(this.map);
  }

  /** Show all of the atlas, at first and when the map has another size. */
  fit() {
    const { map, bounds } = this;
    map.invalidateSize({ animate: false });
    if (!this.canvas.clientWidth || !this.canvas.clientHeight) return;
    const all = map.getBoundsZoom(bounds);
    const isNew = map.getMinZoom() !== all;
    const wasWhole = !this.isPlaced || map.getZoom() <= map.getMinZoom();
    if (isNew) map.setMinZoom(all).setMaxZoom(all + MOST_ZOOMS);
    if (!this.isPlaced || wasWhole) map.fitBounds(bounds, { animate: false });
    map.setMaxBounds(bounds.pad(PADDING));
    this.isPlaced = true;
  }

  isPlaced = false;

  listen() {
    const { canvas, map, site } = this;
    map.on("move", () => site.follow(this));
    map.on("click", (event) => site.pin(event.latlng.wrap()));
    map.on("mousemove", (event) => {
      this.setCross(null);
      site.hover(event.latlng.wrap());
    });
    map.on("mouseout", () => site.hover(null));
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("blur", () => {
      this.setCross(null);
      site.hover(null);
    });
    this.listenToFingers();
  }

  // One finger asks where it is; two move and zoom the map.
  listenToFingers() {
    const { canvas, map, site } = this;
    const isFinger = (/** @type {PointerEvent} */ event) => event.pointerType === "touch" && event.isPrimary;
    canvas.addEventListener("pointerdown", (event) => {
      if (isFinger(event)) map.dragging.disable();
      else if (event.pointerType === "touch") site.hover(null);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (isFinger(event) && !map.dragging.enabled()) site.hover(map.mouseEventToLatLng(event).wrap());
    });
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
      canvas.addEventListener(kind, (event) => {
        if (!isFinger(event) || map.dragging.enabled()) return;
        map.dragging.enable();
        site.rest();
      });
    }
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { map, site } = this;
    const step = STEP_PX * (event.shiftKey ? 5 : 1);
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = moves[event.key];
    if (move) this.moveCross(move);
    else if (event.key === "Enter" && this.cross) site.pin(map.containerPointToLatLng(this.cross).wrap());
    else if (event.key === "+" || event.key === "=") map.zoomIn(1);
    else if (event.key === "-") map.zoomOut(1);
    else return;
    event.preventDefault();
  }

  /** @param {[number, number]} move */
  moveCross([x, y]) {
    const { L } = window;
    const { map } = this;
    const size = map.getSize();
    const at = (this.cross ?? size.divideBy(2)).add(L.point(x, y));
    const kept = L.point(
      Math.max(EDGE_PX, Math.min(size.x - EDGE_PX, at.x)),
      Math.max(EDGE_PX, Math.min(size.y - EDGE_PX, at.y)),
    );
    if (!kept.equals(at)) map.panBy(at.subtract(kept), { animate: false });
    this.setCross(kept);
    this.site.unpin();
    this.site.hover(map.containerPointToLatLng(kept).wrap());
  }

  /** @param {L.Point | null} cross */
  setCross(cross) {
    this.cross = cross;
    this.canvas.classList.toggle("is-keyboard", cross !== null);
    if (cross) this.canvas.style.setProperty("--cross", `${cross.x}px ${cross.y}px`);
  }

  /** @param {{ kind: "query" | "best" | "place", at: Position }[]} markers */
  mark(markers) {
    const { L } = window;
    this.markers.clearLayers();
    for (const { kind, at } of markers) {
      const style = { className: `site-marker site-marker-${kind}`, radius: kind === "place" ? 5 : 7, weight: 2.5 };
      const options = { ...style, renderer: this.renderer, interactive: false };
      L.circleMarker([at.lat, at.lng], options).addTo(this.markers);
    }
  }

  /** @param {LegendProps} legend */
  explain(legend) {
    this.legend.update(legend, this.site.opacity);
  }

  destroy() {
    this.resizer.disconnect();
    this.site.worker.postMessage({ kind: "forget", id: this.id });
    this.map.remove();
    this.element.remove();
  }
}
