// The map of the app: one or several Leaflet panes that move together, each with its own overlay, markers and legend.
//
// Python sends the whole wished-for state (`data`) on every run; this module changes only what differs, so the map is
// never built twice, the view is kept, and a heatmap fades into the next one. Panning, zooming, opacity and the choice of
// base map stay in the browser, which keeps them in the page's address (address.js). What goes back are events:
// click = {pane, lat, lng, by, nonce}, where `by` says whether it asks by the "point" or by the whole "place"; and
// region = {bounds, nonce}, a part of the map to be compared.

import { beginRun, hear, paintsUntil, tell } from "../../bus.js";
import { Address, opened, readOpacity, readView, writeView } from "./address.js";
import { Controls } from "./controls.js";
import { aim, markerFor } from "./markers.js";
import { Values } from "./values.js";

const HERE = new URL(".", import.meta.url);
const MERCATOR_EDGE_DEG = 85.0511;
const FADE_MS = 180;

// View and display outlive the element: leaving for another page and coming back must not lose them.
const remembered = new Map();

let leafletReady = null;
function leaflet() {
  leafletReady ??= import(new URL("../../leaflet/leaflet.js", HERE).href).then(() => window.L);
  return leafletReady;
}

/** Called by Streamlit on every change of data or theme; returns the clean-up. */
export async function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-map");
  if (!root || !data) return undefined;
  const isLatest = beginRun(root);
  const L = await leaflet();
  if (root.ugcMap && root.ugcMap.id !== data.id) {
    root.ugcMap.destroy(); // another atlas: other base maps, bounds and view
    delete root.ugcMap;
  }
  root.ugcMap ??= new SyncedMap(L, root, data);
  root.ugcMap.onClick = (value) => setTriggerValue("click", value);
  root.ugcMap.onRegion = (value) => setTriggerValue("region", value);
  root.ugcMap.update(data);
  return () => {
    if (!isLatest()) return;
    root.ugcMap?.destroy();
    delete root.ugcMap;
  };
}

class SyncedMap {
  constructor(L, root, data) {
    this.L = L;
    this.root = root;
    this.id = data.id;
    root.classList.toggle("is-city", data.is_city);
    this.nonce = 0;
    const memory = data.memory ?? data.id;
    this.memory = remembered.get(memory) ?? addressed(data.base.styles);
    remembered.set(memory, this.memory);
    this.address = new Address(this.memory.texts);
    this.panes = data.panes.map((pane) => new Pane(this, pane, data));
    this.syncing = false;
    for (const pane of this.panes) {
      pane.map.on("move", () => this.follow(pane));
      for (const kind of ["pointerenter", "pointerdown", "focusin"]) pane.element.addEventListener(kind, () => this.lead(pane));
    }
    this.lead(this.panes[0]);
    this.panes[0].map.on("moveend", () => this.viewed());
    this.panes.forEach((pane) => pane.fit(data)); // now that each has the width that the others leave it
    this.setBase(this.memory.base);
    this.setAskBy(this.memory.by);
    this.stops = [
      hear("show", (target) => this.panes.forEach((pane) => pane.show(target))),
      hear("home", ({ cover }) => this.home(data, cover)),
      hear("camera", (camera) => this.panes.forEach((pane) => pane.follow(camera))),
      hear("hover", ({ id, on }) => this.panes.forEach((pane) => pane.highlight(id, on))),
      hear("address", () => this.address.write()),
    ];
    root.dataset.ready = "true";
  }

  // The panes a map has are those of its first data; other ones make another map (see `render`).
  update(data) {
    this.root.classList.toggle("is-dark", luminance(getComputedStyle(this.root).getPropertyValue("--st-background-color")) < 0.4);
    this.panes.forEach((pane, i) => pane.update(data.panes[i], data));
    this.root.classList.toggle("has-overlay", data.panes.some((pane) => pane.overlay));
    this.data = data;
    this.focus();
    this.address.schedule(); // Python may have written the address anew
  }

  // The part that is compared fills the maps once, when it is chosen; from then on the view is the visitor's, and so is a
  // view that came with the link.
  focus() {
    const [first] = this.panes;
    const wanted = JSON.stringify(this.data?.focus ?? null);
    if (!this.data || !first.fitted || wanted === this.memory.focus) return;
    const opensWithView = this.memory.focus === undefined && this.memory.texts.v;
    const isSeen = wanted === this.memory.chosen;
    this.memory.focus = wanted;
    if (opensWithView || isSeen) return;
    if (this.data.focus) this.look(() => first.map.fitBounds(toBounds(this.L, this.data.focus), { animate: false }));
    else this.home(this.data);
  }

  // Move the maps to a view that is no one's own: the address forgets any.
  look(move) {
    this.panes[0].fitting = true; // the others follow
    move();
    this.panes[0].fitting = false;
    this.address.set("v", null);
  }

  // What a person made of the view belongs to the address; how it was fitted at first does not.
  viewed() {
    const [{ map, fitting }] = this.panes;
    if (!fitting) this.address.set("v", writeView(map.getCenter(), map.getZoom()));
  }

  // The first view again; on a large screen, without room round a city.
  home(data, cover) {
    this.look(() => this.panes[0].home(data, false, cover));
  }

  // Only the map in hand is kept within its bounds, the others follow it: their windows differ by a pixel, and each, kept
  // within its own, would come to rest somewhere else.
  lead(pane) {
    if (this.leader === pane) return;
    this.leader?.map.setMaxBounds(null);
    this.leader = pane;
    pane.map.setMaxBounds(pane.limits);
  }

  follow(source) {
    if (this.syncing) return; // only the first mover counts: the others round its view to their pixels
    const view = { center: source.map.getCenter(), zoom: source.map.getZoom() };
    this.memory.view = view;
    this.syncing = true;
    for (const pane of this.panes) {
      if (pane !== source) pane.map.setView(view.center, view.zoom, { animate: false });
    }
    this.syncing = false;
  }

  ask(pane, latlng) {
    const { lat, lng } = latlng.wrap();
    this.nonce += 1;
    for (const each of this.panes) each.pending(latlng);
    this.onClick?.({ pane: pane.id, lat: clampLat(lat), lng, by: this.memory.by, nonce: `${Date.now()}-${this.nonce}` });
  }

  // What is to be compared: bounds, or null for all of the atlas. Bounds that are seen already move nothing.
  chooseRegion(bounds, isSeen = false) {
    this.nonce += 1;
    const edges = bounds && [bounds.getSouth(), bounds.getWest(), bounds.getNorth(), bounds.getEast()];
    this.memory.chosen = isSeen ? JSON.stringify(edges) : undefined;
    if (!bounds) this.home(this.data); // also where all of it is compared already
    this.onRegion?.({ bounds: edges, nonce: `${Date.now()}-${this.nonce}` });
  }

  // A base map from the internet stays out of the address: a link makes nobody's browser fetch what its owner did not choose.
  setBase(id) {
    const { online } = this.panes[0].bases.get(id) ?? {};
    if (id !== this.memory.base) this.address.set("b", online ? null : id);
    this.memory.base = id;
    this.root.dataset.base = id;
    for (const pane of this.panes) {
      pane.showBase(id);
      pane.controls.markBase(id);
    }
  }

  setAskBy(by) {
    this.memory.by = by;
    for (const pane of this.panes) pane.controls.markAskBy(by);
  }

  setOpacity(opacity) {
    this.memory.opacity = opacity;
    this.address.set("o", String(Math.round(opacity * 100)));
    for (const pane of this.panes) {
      pane.overlay?.setOpacity(opacity);
      pane.controls.markOpacity(opacity);
    }
  }

  destroy() {
    this.address.stop();
    this.stops.forEach((stop) => stop());
    this.panes.forEach((pane) => pane.destroy());
  }
}

class Pane {
  constructor(owner, spec, data) {
    const { L } = owner;
    Object.assign(this, { owner, L, id: spec.id, markers: new Map(), bases: new Map(), overlay: null, overlayUrl: null });
    this.element = L.DomUtil.create("div", "ugc-pane", owner.root);
    this.canvas = L.DomUtil.create("div", "ugc-pane-canvas", this.element);
    // Our sheet may still be loading when the map is mounted again; Leaflet would then set position: relative for good.
    Object.assign(this.canvas.style, { position: "absolute", inset: "0" });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", spec.label);
    this.bounds = toBounds(L, data.bounds);
    this.fillsWindow = data.whole_earth && data.panes.length === 1;
    this.limits = this.bounds.pad(data.whole_earth ? 0 : 0.6);
    this.map = L.map(this.canvas, {
      attributionControl: false,
      zoomControl: false,
      trackResize: false, // `fit` does, and can tell that from what a person does to the view
      zoomSnap: 0.25,
      zoomDelta: 1,
      wheelPxPerZoomLevel: 90,
      maxBoundsViscosity: 1, // see `lead`
      maxZoom: data.base.max_zoom,
      doubleClickZoom: false, // two quick clicks are two questions, not a jump
    });
    this.closeZoom = data.close_zoom;
    this.fitted = false;
    this.addBase(data.base);
    this.controls = new Controls(this, data);
    this.map.on("click", (event) => this.drawn || owner.ask(this, event.latlng));
    // :focus-visible cannot tell, since Leaflet focuses the map by script on every mouse click.
    this.canvas.addEventListener("pointerdown", () => this.canvas.classList.remove("is-keyboard"));
    this.canvas.addEventListener("keyup", () => this.canvas.classList.add("is-keyboard"));
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === this.canvas) owner.ask(this, this.map.getCenter());
    });
    this.map.on("mousemove", (event) => {
      const at = event.latlng.wrap();
      this.controls.pointer(at, this.values?.at(at));
    });
    this.map.on("mouseout", () => this.controls.pointer(null));
    this.resizer = new ResizeObserver(() => this.fit(data));
    this.resizer.observe(this.canvas);
  }

  // The lowest zoom shows no emptiness round the world if it has the window for itself; where maps stand side by side, each
  // shows the whole of it. A city may be seen from a little farther away.
  fit(data) {
    const size = { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
    if (!size.width || !size.height) return;
    this.fitting = true;
    this.map.invalidateSize({ animate: false });
    this.map.setMinZoom(0); // Leaflet's answer would not go below the last one
    this.lowest = this.map.getBoundsZoom(this.bounds, this.fillsWindow) - (data.whole_earth ? 0 : 1);
    const lowest = Math.min(...this.owner.panes.map((pane) => pane.lowest ?? Infinity));
    // Leaflet would glide to the lowest zoom, and end that after `fit`.
    if (this.fitted && this.map.getZoom() < lowest) this.map.setZoom(lowest, { animate: false });
    for (const { map } of this.owner.panes) map.setMinZoom(Math.max(0, lowest));
    if (!this.fitted) {
      const seen = this.owner.memory.view;
      if (seen) this.map.setView(seen.center, seen.zoom, { animate: false });
      else this.home(data, false);
      this.fitted = true;
      this.fitting = false;
      this.owner.focus();
    }
    this.fitting = false;
  }

  home(data, animate = true, cover = false) {
    if (this.fillsWindow) this.map.setView([28, 10], this.map.getMinZoom(), { animate });
    else if (cover && !data.whole_earth) this.map.setView(this.bounds.getCenter(), this.map.getBoundsZoom(this.bounds, true), { animate });
    else if (data.whole_earth) this.map.fitBounds(this.bounds, { animate });
    else this.map.setView(this.bounds.getCenter(), this.wholeZoom(), { animate });
  }

  // The zoom, of those a map may have, at which the atlas fills the shorter side; up to an eighth of a level may be cut
  // off, 4 % at each edge, rather than leave a quarter level empty. Nothing more: the best match may be at an edge.
  wholeZoom() {
    const snap = this.map.options.zoomSnap;
    this.map.options.zoomSnap = 0; // Leaflet rounds down
    const exact = this.map.getBoundsZoom(this.bounds);
    this.map.options.zoomSnap = snap;
    return Math.round(exact / snap) * snap;
  }

  addBase(base) {
    const { L } = this;
    for (const style of base.styles) {
      if (!style.tiles) continue;
      this.map.createPane(`base-${style.id}`).classList.add("ugc-base", `ugc-base-${style.id}`);
      const layer = L.tileLayer(style.tiles, {
        pane: `base-${style.id}`,
        bounds: this.bounds,
        noWrap: true,
        maxNativeZoom: style.max_native_zoom,
        maxZoom: base.max_zoom,
        updateWhenZooming: false,
        keepBuffer: 3,
        // OpenStreetMap wants to know which server asks; never what for, which stands in the rest of the address.
        referrerPolicy: style.online ? "origin" : false,
      });
      if (style.online) {
        layer.on("tileerror", () => this.controls.sayOffline(style.id));
        layer.on("tileload", () => this.controls.markBase(this.owner.memory.base));
      }
      this.bases.set(style.id, { layer, online: style.online });
    }
    // Lines lie above the heatmap: a coast that shines through is how one reads where the colours are.
    const lines = this.map.createPane("lines");
    lines.classList.add("ugc-lines");
    for (const vector of base.vectors) this.addLines(vector);
  }

  // A base map is fetched when it is first looked at, and stays: the style sheet fades between them. One from the internet
  // goes when another is chosen, so that nothing more is asked of it.
  showBase(id) {
    for (const [each, { layer, online }] of this.bases) {
      this.map.getPane(`base-${each}`).classList.toggle("is-shown", each === id);
      if (each === id) layer.addTo(this.map);
      else if (online) layer.remove();
    }
  }

  async addLines({ url, kind }) {
    const response = await fetch(url);
    if (!response.ok) return;
    const { L } = this;
    const shape = await response.json();
    if (this.gone) return; // another map stands here by now
    const features = (shape.features ?? [{ geometry: shape }]).filter((feature) => feature.geometry).map(cutAtDateLine);
    const style = { className: `ugc-line ugc-line-${kind}`, weight: 1, fill: false, interactive: false, smoothFactor: 1.4 };
    this.lineRenderer ??= L.svg({ pane: "lines", padding: 0.5 });
    L.geoJSON(features, { pane: "lines", renderer: this.lineRenderer, style }).addTo(this.map);
  }

  // Drag a rectangle: while it is on, dragging does not move the map. Escape, or a second press of the button, ends it.
  draw() {
    if (this.drawn) {
      this.endDrawing();
      return;
    }
    const { L, map } = this;
    let from = null;
    let shape = null;
    const begin = (event) => {
      from = event.latlng;
      shape = L.rectangle(L.latLngBounds(from, from), { className: "ugc-drawn", interactive: false }).addTo(map);
    };
    const grow = (event) => from && shape.setBounds(L.latLngBounds(from, event.latlng));
    const end = (event) => {
      const bounds = from && L.latLngBounds(from, event.latlng);
      this.endDrawing();
      if (bounds && bounds.getNorth() > bounds.getSouth() && bounds.getEast() > bounds.getWest()) this.owner.chooseRegion(bounds);
    };
    const stop = (event) => event.key === "Escape" && this.endDrawing();
    map.dragging.disable();
    map.on({ mousedown: begin, mousemove: grow, mouseup: end });
    document.addEventListener("keydown", stop);
    this.controls.markDrawing(true);
    this.drawn = () => {
      map.off({ mousedown: begin, mousemove: grow, mouseup: end });
      document.removeEventListener("keydown", stop);
      shape?.remove();
      map.dragging.enable();
      this.controls.markDrawing(false);
    };
  }

  endDrawing() {
    this.drawn?.();
    setTimeout(() => (this.drawn = null)); // the click that ends a drag asks nothing
  }

  update(spec, data) {
    this.setOverlay(spec.overlay);
    this.setOutline(spec.outline ?? null);
    if (this.values?.spec.url !== spec.values?.url) this.values = spec.values ? new Values(spec.values) : null;
    this.setMarkers(spec.markers ?? []);
    this.controls.update(spec, data);
    if (this.nonce !== data.nonce) this.pending(null); // the answer is here: the "asking" ring goes
    this.nonce = data.nonce;
  }

  // The old picture stays until the new one has been decoded: no flash of bare map between two answers.
  setOverlay(overlay) {
    const url = overlay?.url ?? null;
    if (url === this.overlayUrl) return;
    const { L } = this;
    const old = this.overlay;
    this.overlayUrl = url;
    this.overlay = null;
    const dropOld = () => old && setTimeout(() => old.remove(), FADE_MS);
    if (!url) {
      old?.remove();
      return;
    }
    const next = L.imageOverlay(url, toBounds(L, overlay.bounds), {
      opacity: 0,
      className: "ugc-heat",
      alt: "",
      interactive: false,
    });
    this.overlay = next;
    next.on("load", () => {
      if (this.overlay === next) next.setOpacity(this.owner.memory.opacity);
      next.getElement().dataset.shown = "true";
      dropOld();
    });
    next.on("error", dropOld);
    paintsUntil(new Promise((resolve) => next.on("load error", () => requestAnimationFrame(() => requestAnimationFrame(resolve)))));
    next.addTo(this.map);
  }

  // The line round the best area lies with the coasts, above the heatmap.
  async setOutline(url) {
    if (url === (this.outlineUrl ?? null)) return;
    this.outlineUrl = url;
    this.outline?.remove();
    this.outline = null;
    if (!url) return;
    const response = await fetch(url);
    const shape = response.ok ? await response.json() : null;
    if (!shape || this.gone || this.outlineUrl !== url) return;
    const { L } = this;
    this.lineRenderer ??= L.svg({ pane: "lines", padding: 0.5 });
    const style = { className: "ugc-outline", weight: 2, fill: false, interactive: false, smoothFactor: 0.5 };
    this.outline = L.geoJSON(shape, { pane: "lines", renderer: this.lineRenderer, style }).addTo(this.map);
  }

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
      if (spec.card) marker.on("click", () => tell("reveal", { id: spec.card }));
      marker.addTo(this.map);
      this.markers.set(id, marker);
    }
  }

  show({ lat, lng, id, cover }) {
    // Several panes move together: the first one leads, the others follow by their "move".
    if (this.owner.panes[0] === this) {
      const zoom = Math.max(this.map.getZoom(), this.closeZoom ?? this.map.getMinZoom() + 2);
      const centre = this.map.project([lat, lng], zoom).add([this.covered(cover) / 2, 0]);
      this.map.flyTo(this.map.unproject(centre, zoom), zoom, { duration: 0.6 });
    }
    this.highlight(id, true);
    setTimeout(() => this.highlight(id, false), 2400);
  }

  // The camera of the window for looking around; null when it closes. The map moves only if the camera would be out of sight.
  follow(camera) {
    if (!camera) {
      this.camera?.remove();
      this.camera = null;
      return;
    }
    if (this.camera) aim(this.camera, camera);
    else this.camera = markerFor(this.L, { kind: "camera", ...camera }).addTo(this.map);
    if (this.owner.panes[0] === this) {
      this.map.panInside([camera.lat, camera.lng], { paddingTopLeft: [60, 60], paddingBottomRight: [60 + this.covered(camera.cover), 60] });
    }
  }

  // How much of the map's right side another window hides, in pixels.
  covered(cover) {
    const box = this.canvas.getBoundingClientRect();
    const hidden = cover ? box.right - cover.left : 0;
    return hidden > 0 && hidden < 0.7 * box.width ? hidden : 0;
  }

  highlight(id, on) {
    for (const marker of this.markers.values()) {
      if (marker.ugcCard === id) marker.getElement()?.classList.toggle("is-lit", on);
    }
  }

  pending(latlng) {
    this.asking?.remove();
    this.asking = latlng ? markerFor(this.L, { kind: "asking", lat: latlng.lat, lng: latlng.lng }).addTo(this.map) : null;
  }

  destroy() {
    this.gone = true;
    this.resizer.disconnect();
    this.map.remove();
    this.element.remove();
  }
}

// View and display of a map that is looked at for the first time: those of the address, or the usual ones.
function addressed(styles) {
  const texts = opened();
  const view = readView(texts.v);
  const opacity = readOpacity(texts.o);
  const base = styles.find((style) => style.id === texts.b && !style.online)?.id;
  const valid = { v: view, o: opacity, b: base };
  for (const key of Object.keys(texts)) if ((valid[key] ?? null) === null) delete texts[key];
  return { view, focus: view ? undefined : "null", opacity: opacity ?? 0.75, base: base ?? styles[0]?.id, by: "point", texts };
}

// Streamlit gives the theme's colours as #rrggbb; anything else counts as light.
function luminance(colour) {
  const parts = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour.trim());
  return parts ? parts.slice(1).reduce((sum, part, i) => sum + [0.213, 0.715, 0.072][i] * (parseInt(part, 16) / 255), 0) : 1;
}

// A line that crosses the date line must not run back round the whole map.
function cutAtDateLine(feature) {
  const cut = (line) => {
    const pieces = [[]];
    line.forEach((point, i) => {
      if (i && Math.abs(point[0] - line[i - 1][0]) > 180) pieces.push([]);
      pieces.at(-1).push(point);
    });
    return pieces.filter((piece) => piece.length > 1);
  };
  const { type, coordinates } = feature.geometry;
  const lines = { LineString: [coordinates], MultiLineString: coordinates, Polygon: coordinates, MultiPolygon: coordinates.flat() }[type];
  return { type: "Feature", geometry: { type: "MultiLineString", coordinates: (lines ?? []).flatMap(cut) } };
}

function clampLat(lat) {
  return Math.max(-MERCATOR_EDGE_DEG, Math.min(MERCATOR_EDGE_DEG, lat));
}

function toBounds(L, [south, west, north, east]) {
  return L.latLngBounds([clampLat(south), west], [clampLat(north), east]);
}
