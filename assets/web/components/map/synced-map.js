// Panes that move together, and what they share: view, base map, opacity, the page's address, what a click asks by.

import { hear, later, nonce } from "../../bus.js";
import { Address, opened, readOpacity, readThreshold, readView, writeView } from "./address.js";
import { clampLat, luminance, toBounds } from "./geometry.js";
import { Live } from "./live.js";
import { Pane } from "./pane.js";
import { Weights } from "./weights.js";

/** @import { BaseStyle, MapClick, MapProps, MapRegion } from "../../protocol" */
/** @import { Texts, View } from "./address.js" */

/**
 * @typedef {object} Memory View and display of a map.
 * @property {View | null} view
 * @property {string | undefined} focus The part that the map was moved to last, as JSON.
 * @property {string} [chosen] The part that was chosen out of what is seen, as JSON.
 * @property {number} opacity
 * @property {number | null} above Similarity from which on cells are shown; null for all.
 * @property {string} base
 * @property {"point" | "place"} by What a click asks by.
 * @property {boolean} live Whether the heatmap follows the pointer.
 * @property {Texts} texts What of it stands in the page's address.
 */

const DARK = 0.4; // luminance of the page
const DEFAULT_OPACITY = 0.75;
const EXACT_FIRST_MS = 200; // the longest that the run of the page waits for the heatmap

/**
 * Outlives the element: leaving for another page and coming back must not lose view and display.
 *
 * @type {Map<string, Memory>}
 */
const remembered = new Map();

let livesAtFirst = new URLSearchParams(location.search).get("mode") === "poster";
hear("live", () => (livesAtFirst = true));

export class SyncedMap {
  /**
   * @param {typeof import("leaflet")} L
   * @param {HTMLElement} root
   * @param {MapProps} data
   */
  constructor(L, root, data) {
    this.L = L;
    this.root = root;
    this.id = data.id;
    root.classList.toggle("is-city", data.is_city);
    /** @type {MapProps | null} */
    this.data = null;
    this.memory = remembered.get(data.memory) ?? addressed(data.base.styles);
    remembered.set(data.memory, this.memory);
    this.address = new Address(this.memory.texts);
    /** @type {(click: MapClick) => void} */
    this.onClick = () => {};
    this.asked = 0; // clicks
    /** @type {(region: MapRegion) => void} */
    this.onRegion = () => {};
    /** @type {Pane | null} */
    this.leader = null;
    this.syncing = false;
    this.arranging = false;
    this.arranged = ""; // where that ended
    this.live = new Live(this);
    /** @type {Pane[]} */
    this.panes = [];
    this.panes = data.panes.map((pane) => new Pane(this, pane, data));
    for (const pane of this.panes) {
      pane.map.on("move", () => this.follow(pane));
      for (const kind of ["pointerenter", "pointerdown", "focusin"]) {
        pane.element.addEventListener(kind, () => this.lead(pane));
      }
    }
    this.weights = new Weights(this);
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
      hear("live", () => this.setLive(true)),
      hear("address", () => this.address.write()),
    ];
    root.dataset.ready = "true";
  }

  /**
   * Show what differs. The panes a map has are those of its first data; other ones make another map, see `map.js`.
   *
   * @param {MapProps} data
   */
  update(data) {
    const background = getComputedStyle(this.root).getPropertyValue("--st-background-color");
    this.root.classList.toggle("is-dark", luminance(background) < DARK);
    if (this.data && this.data.nonce !== data.nonce) this.live.rest();
    this.panes.forEach((pane, i) => pane.update(data.panes[i], data));
    this.root.classList.toggle(
      "has-overlay",
      data.panes.some((pane) => pane.overlay),
    );
    this.data = data;
    this.setLive(this.memory.live);
    this.focus();
    this.address.schedule(); // Python may have written the address again
  }

  // The part that is compared fills the maps once, when it is chosen; from then on the view is the visitor's, and so is
  // a view that came with the link.
  focus() {
    const { data, memory } = this;
    const [first] = this.panes;
    const wanted = JSON.stringify(data?.focus ?? null);
    if (!data || !first.fitted || wanted === memory.focus) return;
    const opensWithView = memory.focus === undefined && memory.texts.v;
    const isSeen = wanted === memory.chosen;
    memory.focus = wanted;
    if (opensWithView || isSeen) return;
    const { focus } = data;
    if (focus) this.look(() => first.map.fitBounds(toBounds(this.L, focus), { animate: false }));
    else this.home(data);
  }

  /**
   * Move the maps to a view that is no one's own: the address forgets any.
   *
   * @param {() => void} move
   */
  look(move) {
    this.arrange(move);
    this.address.set("v", null);
  }

  /**
   * Move the maps, or one that the others follow, by no one's choice: the address keeps its view.
   *
   * @param {() => void} move
   */
  arrange(move) {
    const outer = this.arranging;
    this.arranging = true;
    move();
    this.arranging = outer;
  }

  // What a person made of the view belongs to the address; how it was fitted at first does not.
  viewed() {
    const [{ map }] = this.panes;
    const view = writeView(map.getCenter(), map.getZoom());
    if (this.arranging) this.arranged = view;
    else if (view !== this.arranged) this.address.set("v", view); // Leaflet may tell twice that it has come to rest
  }

  /**
   * The first view again; on a large screen, without room round a city.
   *
   * @param {MapProps} data
   * @param {boolean} [cover]
   */
  home(data, cover) {
    this.look(() => this.panes[0].home(data, false, cover));
  }

  /**
   * Only the map in hand is kept within its bounds, the others follow it: their windows differ by a pixel, and each,
   * kept within its own, would come to rest somewhere else.
   *
   * @param {Pane} pane
   */
  lead(pane) {
    if (this.leader === pane) return;
    this.leader?.map.setMaxBounds(undefined);
    this.leader = pane;
    pane.map.setMaxBounds(pane.limits);
  }

  /** @param {Pane} source */
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

  /**
   * Ask the server: first for the heatmap alone, then for the run of the page, which would compete with it.
   *
   * @param {Pane} pane
   * @param {L.LatLng} position
   */
  async ask(pane, position) {
    const { lat, lng } = position.wrap();
    const number = ++this.asked;
    this.live.hover({ lat, lng }); // shown until the exact answer is here
    for (const each of this.panes) each.pending(position);
    if (this.memory.by === "point") {
      await Promise.race([pane.exact.ask({ lat: clampLat(lat), lng }), later(EXACT_FIRST_MS)]);
      if (pane.gone || number !== this.asked) return; // another point has been clicked meanwhile
    }
    this.onClick({ pane: pane.id, lat: clampLat(lat), lng, by: this.memory.by, nonce: nonce() });
  }

  /**
   * Show a place that somebody has searched for by its name, and ask there as a click does.
   *
   * @param {Pane} pane
   * @param {{ lat: number, lng: number }} place
   */
  visit(pane, place) {
    const { map, closeZoom } = pane;
    const zoom = Math.max(map.getZoom(), closeZoom ?? map.getMinZoom() + 2);
    const position = this.L.latLng(clampLat(place.lat), place.lng);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) map.setView(position, zoom, { animate: false });
    else map.flyTo(position, zoom, { duration: 0.6 });
    this.ask(pane, position);
  }

  /**
   * Choose what is to be compared, or searched in. Bounds that are seen already move nothing, and neither does the end
   * of an area that is searched in.
   *
   * @param {L.LatLngBounds | null} bounds Null for all of the atlas.
   * @param {boolean} [isSeen]
   */
  chooseRegion(bounds, isSeen = false) {
    /** @type {MapRegion["bounds"]} */
    const edges = bounds && [bounds.getSouth(), bounds.getWest(), bounds.getNorth(), bounds.getEast()];
    this.memory.chosen = isSeen ? JSON.stringify(edges) : undefined;
    const isArea = this.data?.panes.some((pane) => pane.area);
    if (!bounds && !isArea && this.data) this.home(this.data); // also where all of it is compared already
    this.onRegion({ bounds: edges, nonce: nonce() });
  }

  /**
   * A base map from the internet stays out of the address: a link makes nobody's browser fetch what its owner did not
   * choose.
   *
   * @param {string} id
   */
  setBase(id) {
    const online = this.panes[0].base.layers.get(id)?.online;
    if (id !== this.memory.base) this.address.set("b", online ? null : id);
    this.memory.base = id;
    this.root.dataset.base = id;
    for (const pane of this.panes) {
      pane.base.show(id);
      pane.controls.markBase(id);
    }
  }

  /** @param {"point" | "place"} by */
  setAskBy(by) {
    this.memory.by = by;
    for (const pane of this.panes) pane.controls.markAskBy(by);
  }

  /** @param {boolean} isOn */
  setLive(isOn) {
    this.memory.live = isOn;
    this.live.setOn(isOn);
    this.live.update();
    this.markLive();
  }

  markLive() {
    const { isPossible, isOn, isWaiting } = this.live;
    for (const pane of this.panes) pane.controls.markLive(isPossible, isOn, isWaiting);
  }

  /** @param {string} words Why the heatmap cannot be computed here. */
  failLive(words) {
    this.setLive(false);
    this.panes[0].controls.sayLiveFailed(words);
  }

  /** @param {number | null} above */
  setThreshold(above) {
    this.memory.above = above;
    this.address.set("t", above === null ? null : String(above));
    for (const pane of this.panes) pane.controls.threshold.show();
  }

  /** @param {number} opacity */
  setOpacity(opacity) {
    this.memory.opacity = opacity;
    this.address.set("o", String(Math.round(opacity * 100)));
    for (const pane of this.panes) {
      if (!this.live.isShown) pane.overlay?.setOpacity(opacity);
      pane.controls.legend.markOpacity(opacity);
    }
    this.live.markOpacity();
  }

  destroy() {
    this.address.stop();
    this.stops.forEach((stop) => stop());
    this.weights.destroy();
    this.live.destroy();
    this.panes.forEach((pane) => pane.destroy());
  }
}

/**
 * View and display of a map that is looked at for the first time: those of the address, or the usual ones.
 *
 * @param {BaseStyle[]} styles
 * @returns {Memory}
 */
function addressed(styles) {
  const texts = opened();
  const view = readView(texts.v);
  const opacity = readOpacity(texts.o);
  const above = readThreshold(texts.t);
  const base = styles.find((style) => style.id === texts.b && !style.online)?.id;
  if (view === null) delete texts.v;
  if (opacity === null) delete texts.o;
  if (above === null) delete texts.t;
  if (base === undefined) delete texts.b;
  return {
    view,
    focus: view ? undefined : "null",
    opacity: opacity ?? DEFAULT_OPACITY,
    above,
    base: base ?? styles[0]?.id,
    by: "point",
    live: livesAtFirst,
    texts,
  };
}
