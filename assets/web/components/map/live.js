// Live similarity: the heatmap of the point under the pointer, or of a query whose weights are moved, computed in this
// browser. The exact answer of the server takes its place when the pointer leaves, or asks.

import { toBounds } from "./geometry.js";

/** @import { LiveGrid } from "../../protocol" */
/** @import { Pane } from "./pane.js" */
/** @import { SyncedMap } from "./synced-map.js" */

/** @typedef {{ lat: number, lng: number }} Position */
/** @typedef {{ at: Position, weights?: undefined } | { weights: number[], at?: undefined }} Question */

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

  /** @param {Question | null} question What the canvas shows; null to show the exact answer. */
  show(question) {
    const isShown = question !== null;
    const { legend, weights } = this.display;

    const { opacity } = this.pane.owner.memory;
    this.layer.setOpacity(isShown ? opacity : 0);
    this.pane.overlay?.setOpacity(isShown ? 0 : opacity);
    this.pane.controls.showLegend(!question ? null : question.weights && weights ? weights.legend : legend);
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
    /** @type {Question | null} what the canvases show */
    this.shown = null;
    /** @type {Question | null} what they are to show */
    this.wanted = null;
    /** @type {Question | null} what is being computed */
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
    if (this.isOn) this.worker ??= this.started();
    else this.hover(null);
  }

  /** Whether the first heatmap has yet to come: the grid is fetched, or even made. */
  get isWaiting() {
    return this.isOn && this.computing !== null && !this.painted;
  }

  get isShown() {
    return this.shown !== null;
  }

  /** Take over how panes are drawn now, after new data. */
  update() {
    if (!this.worker) return;
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
    if (!this.shown) return;
    for (const picture of this.pictures.values()) picture.show(this.shown); // new data set it aside
    this.want(this.wanted && { ...this.wanted }); // it may be drawn in other ways
  }

  // Part of the map is being computed again, say.
  /** @param {Pane} pane */
  forget(pane) {
    const picture = this.pictures.get(pane);
    if (!picture) return;
    this.worker?.postMessage({ kind: "gone", id: picture.id });
    picture.show(null);
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
    this.want(null);
  }

  /**
   * Show the heatmap of a position, if the map is live; null: the pointer has left.
   *
   * @param {Position | null} at
   */
  hover(at) {
    if (at && this.isOn) this.want({ at });
    else if (!at && this.wanted?.at) this.want(null);
  }

  /**
   * Show the heatmap of the query with other weights; null shows the exact answer again.
   *
   * @param {number[] | null} weights
   */
  weigh(weights) {
    if (weights && !this.worker && typeof OffscreenCanvas !== "undefined") {
      this.worker = this.started();
      this.update();
    }
    this.want(weights && { weights });
  }

  /** @param {Question | null} question */
  want(question) {
    this.wanted = question;
    if (question) this.ask();
    else this.show(null, []);
  }

  // One question at a time; positions that the pointer has left by then are not computed.
  ask() {
    if (!this.worker || !this.wanted || this.computing) return;
    this.computing = this.wanted;
    this.number += 1;
    this.worker.postMessage({ kind: "ask", number: this.number, question: this.computing });
    if (!this.painted) this.owner.markLive();
  }

  /** @param {{ kind: string, number: number, shown?: string[], ms?: number, words?: string }} answer */
  answered({ kind, shown = [], ms = 0, words }) {
    const { computing } = this;
    this.computing = null;
    if (kind === "failed") {
      if (computing?.weights)
        this.want(null); // the answer of the server comes all the same
      else this.owner.failLive(words ?? "");
      return;
    }
    this.took = ms;
    this.painted += 1;
    if (this.painted === 1) this.owner.markLive();
    if (this.wanted) this.show(computing, shown);
    if (this.wanted !== computing) this.ask();
  }

  /**
   * @param {Question | null} question
   * @param {string[]} ids Of the panes whose canvases show its answer.
   */
  show(question, ids) {
    this.shown = ids.length ? question : null;
    for (const picture of this.pictures.values()) picture.show(ids.includes(picture.id) ? question : null);
  }

  /** The opacity has changed. */
  markOpacity() {
    for (const picture of this.pictures.values()) if (picture.canvas.dataset.shown === "true") picture.show(this.shown);
  }

  destroy() {
    this.worker?.terminate();
    this.worker = null;
    this.pictures.clear();
  }
}
