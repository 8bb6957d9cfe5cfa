// Live similarity: the heatmap of the point under the pointer, computed in this browser while it moves. The exact answer
// of the server takes its place when the pointer leaves, or asks.

import { toBounds } from "./geometry.js";

/** @import { LiveGrid } from "../../protocol" */
/** @import { Pane } from "./pane.js" */
/** @import { SyncedMap } from "./synced-map.js" */

/** @typedef {{ lat: number, lng: number }} Position */

let panesMade = 0;

/** The canvas of a pane, over its heatmap. */
class LivePicture {
  /**
   * @param {Pane} pane
   * @param {LiveGrid} display
   */
  constructor(pane, display) {
    this.pane = pane;
    this.display = display;
    this.id = `pane-${panesMade++}`;
    this.canvas = document.createElement("canvas");
    const options = { opacity: 0, className: "ugc-live", interactive: false };
    // Leaflet places any element so, not only an SVG.
    const element = /** @type {SVGElement} */ (/** @type {unknown} */ (this.canvas));
    this.layer = pane.L.svgOverlay(element, toBounds(pane.L, display.bounds), options).addTo(pane.map);
  }

  /** @param {LiveGrid} display */
  draw(display) {
    this.display = display;
    this.layer.setBounds(toBounds(this.pane.L, display.bounds));
  }

  /** @param {boolean} isShown */
  show(isShown) {
    const { opacity } = this.pane.owner.memory;
    this.layer.setOpacity(isShown ? opacity : 0);
    this.pane.overlay?.setOpacity(isShown ? 0 : opacity);
    this.pane.controls.showLegend(isShown ? this.display.legend : null);
    this.canvas.dataset.shown = String(isShown);
  }
}

export class Live {
  /** @param {SyncedMap} owner */
  constructor(owner) {
    this.owner = owner;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {Map<Pane, LivePicture>} */
    this.pictures = new Map();
    this.isOn = false;
    this.isShown = false;
    /** @type {Position | null} where the pointer is */
    this.wanted = null;
    /** @type {Position | null} what is being computed */
    this.computing = null;
    this.number = 0; // of the question that is computed
    /** Milliseconds that the last heatmaps took, for tests and for people with a console. */
    this.took = 0;
    this.painted = 0;
  }

  /** Whether any pane can be computed here. */
  get isPossible() {
    return typeof OffscreenCanvas !== "undefined" && this.owner.panes.some((pane) => pane.live);
  }

  /** @param {boolean} isOn */
  setOn(isOn) {
    this.isOn = isOn && this.isPossible;
    for (const { canvas } of this.owner.panes) canvas.classList.toggle("is-live", this.isOn);
    if (this.isOn) this.update();
    else this.hover(null);
  }

  /** Whether the first heatmap has yet to come: the grid is fetched, or even made. */
  get isWaiting() {
    return this.isOn && this.computing !== null && !this.painted;
  }

  /** Take over how panes are drawn now, after new data. */
  update() {
    if (!this.isOn) return;
    this.worker ??= this.started();
    for (const pane of this.owner.panes) {
      const known = this.pictures.get(pane);
      if (!pane.live) this.forget(pane);
      if (!pane.live || JSON.stringify(known?.display) === JSON.stringify(pane.live)) continue;
      if (known) {
        known.draw(pane.live);
        this.worker.postMessage({ kind: "pane", id: known.id, display: pane.live });
        continue;
      }
      const picture = new LivePicture(pane, pane.live);
      this.pictures.set(pane, picture);
      const canvas = picture.canvas.transferControlToOffscreen();
      this.worker.postMessage({ kind: "pane", id: picture.id, display: pane.live, canvas }, [canvas]);
    }
    if (this.isShown) for (const picture of this.pictures.values()) picture.show(true); // new data set it aside
  }

  // Part of the map is being computed again, say.
  /** @param {Pane} pane */
  forget(pane) {
    const picture = this.pictures.get(pane);
    if (!picture) return;
    this.worker?.postMessage({ kind: "gone", id: picture.id });
    picture.show(false);
    picture.layer.remove();
    this.pictures.delete(pane);
  }

  started() {
    const worker = new Worker(new URL("./live-worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => this.answered(data);
    worker.onerror = ({ message }) => this.answered({ kind: "failed", number: this.number, words: message });
    return worker;
  }

  /** Show the exact answer, which has just come, until the pointer moves again. */
  rest() {
    this.hover(null);
  }

  /**
   * Show the heatmap of a position; null shows the exact answer again.
   *
   * @param {Position | null} at
   */
  hover(at) {
    this.wanted = at;
    if (at === null) this.show([]);
    else this.ask();
  }

  // One question at a time; positions that the pointer has left by then are not computed.
  ask() {
    if (!this.isOn || !this.worker || !this.wanted || this.computing) return;
    this.computing = this.wanted;
    this.number += 1;
    this.worker.postMessage({ kind: "hover", number: this.number, at: this.computing });
    if (!this.painted) this.owner.markLive();
  }

  /** @param {{ kind: string, number: number, shown?: string[], ms?: number, words?: string }} answer */
  answered({ kind, shown = [], ms = 0, words }) {
    const { computing } = this;
    this.computing = null;
    if (kind === "failed") {
      this.owner.failLive(words ?? "");
      return;
    }
    this.took = ms;
    this.painted += 1;
    if (this.painted === 1) this.owner.markLive();
    if (this.wanted) this.show(shown);
    if (this.wanted !== computing) this.ask();
  }

  /** @param {string[]} ids Of the panes whose canvases show what was asked. */
  show(ids) {
    this.isShown = ids.length > 0;
    for (const picture of this.pictures.values()) picture.show(ids.includes(picture.id));
  }

  /** The opacity has changed. */
  markOpacity() {
    for (const picture of this.pictures.values()) if (picture.canvas.dataset.shown === "true") picture.show(true);
  }

  destroy() {
    this.worker?.terminate();
    this.worker = null;
    this.pictures.clear();
  }
}
