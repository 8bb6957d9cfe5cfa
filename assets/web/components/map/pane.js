// One Leaflet map with its overlay, markers, legend and controls.

import { paintsUntil, tell } from "../../bus.js";
import { Area } from "./area.js";
import { BaseLayers } from "./base-layers.js";
import { Controls } from "./controls.js";
import { Drawing } from "./drawing.js";
import { Exact } from "./exact.js";
import { snapped, toBounds } from "./geometry.js";
import { Keys } from "./keys.js";
import { aim, markerFor } from "./markers.js";
import { Values } from "./values.js";

/** @import { LiveGrid, MapProps, Marker, Overlay, Pane as PaneProps } from "../../protocol" */
/** @import { Events } from "../../bus.js" */
/** @import { PlacedMarker } from "./markers.js" */
/** @import { SyncedMap } from "./synced-map.js" */

const FADE_MS = 180;
const LIT_MS = 2400;
// Raw pointer events come at once, where "mousemove" waits for the next frame; only over https and on localhost.
const HAS_RAW = "onpointerrawupdate" in window;
/** @type {[number, number]} */
const WORLD_CENTER = [28, 10];
const MAP_OPTIONS = {
  attributionControl: false,
  zoomControl: false,
  trackResize: false, // `fit` does, and can tell that from what a person does to the view
  zoomSnap: 0.25,
  zoomDelta: 1,
  wheelPxPerZoomLevel: 90,
  maxBoundsViscosity: 1, // see `SyncedMap.lead`
  doubleClickZoom: false, // two quick clicks are two questions, not a jump
};

export class Pane {
  /** @type {Map<string, PlacedMarker>} */
  markers = new Map();
  /** @type {L.ImageOverlay | null} */
  overlay = null;
  /** @type {string | null} */
  overlayUrl = null;
  /** @type {L.ImageOverlay | null} dots of the visitor's own table */
  points = null;
  /** @type {string | null} */
  pointsUrl = null;
  /** @type {Values | null} */
  values = null;
  /** @type {LiveGrid | null} what heatmaps can be computed of in the browser */
  live = null;
  /** @type {PlacedMarker | null} of the street viewer */
  camera = null;
  /** @type {PlacedMarker | null} where a click waits for its answer */
  asking = null;
  /** @type {number | null} the nonce of the data that is shown */
  nonce = null;
  lowest = Infinity; // zoom
  fitted = false; // once at least
  gone = false;

  /**
   * @param {SyncedMap} owner
   * @param {PaneProps} spec
   * @param {MapProps} data
   */
  constructor(owner, spec, data) {
    const { L } = owner;
    this.owner = owner;
    this.L = L;
    this.id = spec.id;
    this.closeZoom = data.close_zoom;
    this.fillsWindow = data.whole_earth && data.panes.length === 1;
    this.bounds = toBounds(L, data.bounds);
    this.limits = this.bounds.pad(data.whole_earth ? 0 : 0.6);
    this.element = L.DomUtil.create("div", "ugc-pane", owner.root);
    this.canvas = L.DomUtil.create("div", "ugc-pane-canvas", this.element);
    // Our sheet may still be loading when the map is mounted again; Leaflet would then set position: relative for good.
    Object.assign(this.canvas.style, { position: "absolute", inset: "0" });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", spec.label);
    this.map = L.map(this.canvas, { ...MAP_OPTIONS, maxZoom: data.base.max_zoom });
    // What brings a view back within the bounds may be part of arranging it, and must not end after that.
    const { panInsideBounds } = this.map;
    this.map.panInsideBounds = (bounds, options) =>
      panInsideBounds.call(this.map, bounds, owner.arranging ? { ...options, animate: false } : options);
    this.base = new BaseLayers(this, data.base);
    this.area = new Area(this);
    this.exact = new Exact(this);
    this.drawing = new Drawing(this, (bounds) => owner.chooseRegion(bounds));
    this.controls = new Controls(this, data);
    this.listen();
    this.resizer = new ResizeObserver(() => this.fit(data));
    this.resizer.observe(this.canvas);
  }

  listen() {
    const { canvas, map, owner } = this;
    map.on("click", (event) => {
      if (!this.drawing.isOn) owner.ask(this, event.latlng);
    });
    // :focus-visible cannot tell, since Leaflet focuses the map by script on every mouse click.
    canvas.addEventListener("pointerdown", () => canvas.classList.remove("is-keyboard"));
    canvas.addEventListener("keyup", () => canvas.classList.add("is-keyboard"));
    this.keys = new Keys(this);
    let last = "";
    map.on("mousemove", (event) => {
      const at = event.latlng.wrap();
      const { buttons, screenX, screenY } = event.originalEvent;
      if (last === (last = `${screenX},${screenY}`)) return; // the page has moved under a pointer at rest
      this.controls.pointer(at, owner.live.isOn ? "" : this.values?.at(at));
      if (!buttons && !HAS_RAW) owner.live.hover(at); // else the map is dragged, or what is over it
    });
    /** @param {Event} raw */
    const hover = (raw) => {
      const event = /** @type {PointerEvent} */ (raw);
      if (!owner.live.isOn || event.buttons || event.pointerType === "touch") return;
      owner.live.hover(map.mouseEventToLatLng(event).wrap());
    };
    if (HAS_RAW) canvas.addEventListener("pointerrawupdate", hover);
    map.on("mouseout", () => {
      this.controls.pointer(null);
      owner.live.hover(null);
    });
    this.listenToFingers();
  }

  // A finger that is dragged over a live map asks where it is, as a pointer does; two still move and zoom the map.
  listenToFingers() {
    const { canvas, map, owner } = this;
    const isFinger = (/** @type {PointerEvent} */ event) =>
      owner.live.isOn && !this.drawing.isOn && event.pointerType === "touch";
    let holds = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (!isFinger(event) || !map.dragging.enabled()) return;
      holds = true;
      map.dragging.disable();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (isFinger(event) && event.isPrimary) owner.live.hover(map.mouseEventToLatLng(event).wrap());
    });
    const release = () => {
      if (holds) map.dragging.enable();
      holds = false;
    };
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, release);
  }

  /**
   * Fit the map into its element. The lowest zoom shows no emptiness round the world if it has the window for itself;
   * where maps stand side by side, each shows the whole of it. A city may be seen from a little farther away.
   *
   * @param {MapProps} data
   */
  fit(data) {
    if (!this.canvas.clientWidth || !this.canvas.clientHeight) return;
    this.owner.arrange(() => this.fitElement(data));
    if (this.fitted) return;
    this.fitted = true;
    this.owner.focus();
  }

  /** @param {MapProps} data */
  fitElement(data) {
    this.map.invalidateSize({ animate: false });
    this.map.setMinZoom(0); // Leaflet's answer would not go below the last one
    this.lowest = this.map.getBoundsZoom(this.bounds, this.fillsWindow) - (data.whole_earth ? 0 : 1);
    const lowest = Math.min(...this.owner.panes.map((pane) => pane.lowest));
    // Leaflet would glide to the lowest zoom, and end that after `fit`.
    if (this.fitted && this.map.getZoom() < lowest) this.map.setZoom(lowest, { animate: false });
    for (const { map } of this.owner.panes) map.setMinZoom(Math.max(0, lowest));
    if (this.fitted) return;
    const seen = this.owner.memory.view;
    if (seen) this.map.setView(seen.center, seen.zoom, { animate: false });
    else this.home(data, false);
  }

  /**
   * Show the whole atlas.
   *
   * @param {MapProps} data
   * @param {boolean} [animate]
   * @param {boolean} [cover] Whether a city fills the window, and is cut off at its longer side.
   */
  home(data, animate = true, cover = false) {
    const { bounds, map } = this;
    if (this.fillsWindow) map.setView(WORLD_CENTER, map.getMinZoom(), { animate });
    else if (cover && !data.whole_earth) map.setView(bounds.getCenter(), map.getBoundsZoom(bounds, true), { animate });
    else if (data.whole_earth) map.fitBounds(bounds, { animate });
    else map.setView(bounds.getCenter(), this.wholeZoom(), { animate });
  }

  // The zoom, of those a map may have, at which the atlas fills the shorter side; up to an eighth of a level may be cut
  // off, 4 % at each edge, rather than leave a quarter level empty. Nothing more: the best match may be at an edge.
  wholeZoom() {
    const { options } = this.map;
    options.zoomSnap = 0; // Leaflet rounds down
    const exact = this.map.getBoundsZoom(this.bounds);
    options.zoomSnap = MAP_OPTIONS.zoomSnap;
    return snapped(exact, MAP_OPTIONS.zoomSnap);
  }

  /**
   * @param {PaneProps} spec
   * @param {MapProps} data
   */
  update(spec, data) {
    this.setOverlay(spec.overlay);
    this.base.setOutline(spec.outline ?? null);
    this.area.show(spec.area ?? null);
    this.setPoints(spec.points ?? null);
    if (this.values?.spec.url !== spec.values?.url) this.values = spec.values ? new Values(spec.values) : null;
    this.live = spec.live ?? null;
    this.setMarkers(spec.markers ?? []);
    this.controls.update(spec);
    if (this.nonce !== data.nonce) this.pending(null); // the answer is here: the "asking" ring goes
    this.nonce = data.nonce;
  }

  /**
   * Show a heatmap, or none. The old one stays until the new one has been decoded: no flash of bare map between them.
   *
   * @param {Overlay | undefined} overlay
   */
  setOverlay(overlay) {
    const url = overlay?.url ?? null;
    if (url === this.overlayUrl) return;
    const old = this.overlay;
    this.overlayUrl = url;
    this.overlay = null;
    if (!overlay) {
      old?.remove();
      return;
    }
    const options = { opacity: 0, className: "ugc-heat", alt: "", interactive: false };
    const next = this.L.imageOverlay(overlay.url, toBounds(this.L, overlay.bounds), options);
    const dropOld = () => setTimeout(() => old?.remove(), FADE_MS);
    this.overlay = next;
    next.on("load", () => {
      if (this.overlay === next && !this.owner.live.isShown) next.setOpacity(this.owner.memory.opacity);
      const image = next.getElement();
      if (image) image.dataset.shown = "true";
      dropOld();
    });
    next.on("error", dropOld);
    paintsUntil(
      new Promise((resolve) => {
        next.on("load error", () => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      }),
    );
    next.addTo(this.map);
  }

  /** @param {Overlay | null} points */
  setPoints(points) {
    if ((points?.url ?? null) === this.pointsUrl) return;
    this.pointsUrl = points?.url ?? null;
    this.points?.remove();
    this.points = null;
    if (!points) return;
    const options = { className: "ugc-points-of-visitor", alt: "", interactive: false, zIndex: 3 };
    this.points = this.L.imageOverlay(points.url, toBounds(this.L, points.bounds), options).addTo(this.map);
  }

  /** @param {Marker[]} specs */
  setMarkers(specs) {
    const wanted = new Map(specs.map((spec) => [spec.id, spec]));
    for (const [id, marker] of this.markers) {
      if (JSON.stringify(wanted.get(id)) === marker.ugcSpec) continue;
      marker.remove();
      this.markers.delete(id);
    }
    for (const [id, spec] of wanted) {
      if (this.markers.has(id)) continue;
      const marker = markerFor(this.L, spec);
      marker.ugcSpec = JSON.stringify(spec);
      const { card } = spec;
      if (card) marker.on("click", () => tell("reveal", { id: card }));
      marker.addTo(this.map);
      this.markers.set(id, marker);
    }
  }

  /** @param {Events["show"]} target */
  show({ lat, lng, id, cover }) {
    // Several panes move together: the first one leads, the others follow by their "move".
    if (this.owner.panes[0] === this) {
      const zoom = Math.max(this.map.getZoom(), this.closeZoom ?? this.map.getMinZoom() + 2);
      const center = this.map.project([lat, lng], zoom).add([this.covered(cover) / 2, 0]);
      this.map.flyTo(this.map.unproject(center, zoom), zoom, { duration: 0.6 });
    }
    this.highlight(id, true);
    setTimeout(() => this.highlight(id, false), LIT_MS);
  }

  /**
   * Show the camera of the street viewer; null when it closes. The map moves only if the camera would be out of sight.
   *
   * @param {Events["camera"]} camera
   */
  follow(camera) {
    if (!camera) {
      this.camera?.remove();
      this.camera = null;
      return;
    }
    if (this.camera) aim(this.camera, camera);
    else this.camera = markerFor(this.L, { kind: "camera", ...camera }).addTo(this.map);
    if (this.owner.panes[0] !== this) return;
    this.map.panInside([camera.lat, camera.lng], {
      paddingTopLeft: [60, 60],
      paddingBottomRight: [60 + this.covered(camera.cover), 60],
    });
  }

  /**
   * How much of the map's right side another window hides, in pixels.
   *
   * @param {DOMRect | null} [cover]
   */
  covered(cover) {
    const box = this.canvas.getBoundingClientRect();
    const hidden = cover ? box.right - cover.left : 0;
    return hidden > 0 && hidden < 0.7 * box.width ? hidden : 0;
  }

  /**
   * @param {string} id
   * @param {boolean} on
   */
  highlight(id, on) {
    for (const marker of this.markers.values()) {
      if (marker.ugcCard === id) marker.getElement()?.classList.toggle("is-lit", on);
    }
  }

  /** @param {L.LatLng | null} position */
  pending(position) {
    this.asking?.remove();
    if (!position) this.asking = null;
    else this.asking = markerFor(this.L, { kind: "asking", lat: position.lat, lng: position.lng }).addTo(this.map);
  }

  destroy() {
    this.gone = true;
    this.resizer.disconnect();
    this.map.remove();
    this.element.remove();
  }
}
