// The page of a site: maps of several models that answer in this browser, without a server.

import { coordinates, el } from "../dom.js";
import { Header } from "./header.js";
import { Pane } from "./pane.js";
import { Parts } from "./parts.js";
import { Results } from "./results.js";
import { colorsLegend, similarityLegend } from "./words.js";

/** @import { About, Ask, Atlas, Example, FromWorker, Item, Painted, Position } from "./page" */

const REST_MS = 140; // after which the places of a point are shown
const NARROW_PX = 700; // on which one map is shown at first

/** @typedef {{ at: Position } | { example: number }} Query */

export class Site {
  /**
   * @param {About} about
   * @param {HTMLElement} root
   */
  constructor(about, root) {
    this.about = about;
    this.parts = new Parts(about.files);
    this.worker = this.parts.worker();
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = ({ message }) => this.fail(new Error(message || "The maps cannot be computed here."));
    this.worker.postMessage({ kind: "colors", colors: about.colors, lowOpacity: about.lowOpacity });
    this.opacity = 0.75;
    this.layer = /** @type {"similarity" | "colors"} */ ("similarity");
    this.atlas = about.atlases[0];
    /** @type {Set<string>} grids that the worker has or gets */
    this.sent = new Set();
    /** @type {Set<string>} those that it has read */
    this.ready = new Set();
    /** @type {Pane[]} */
    this.panes = [];
    /** @type {Query | null} what is shown while nothing is pointed at */
    this.resting = null;
    this.isPinned = false;
    /** @type {Position | null} */
    this.pointed = null;
    /** @type {Query | null} */
    this.computing = null;
    this.isAsking = false;
    this.isStale = false; // something else is wanted than what is computed
    this.number = 0;
    this.painted = 0;
    this.took = 0;
    this.timer = 0;
    /** @type {Results | null} */
    this.results = null;
    this.header = new Header(this);
    this.maps = el("main.site-maps");
    this.below = el("div.site-below");
    this.attribution = el("footer.site-foot");
    root.replaceChildren(this.header.element, this.maps, this.below, this.attribution);
    const [name, rest] = decodeURIComponent(location.hash.slice(1)).split("/");
    const atlas = about.atlases.find((each) => each.name === name);
    this.open(atlas ?? this.atlas, atlas ? rest : "");
  }

  /**
   * Show an atlas.
   *
   * @param {Atlas} atlas
   * @param {string} [query] Of the address.
   */
  async open(atlas, query = "") {
    this.atlas = atlas;
    for (const pane of this.panes) pane.destroy();
    this.panes = [];
    this.resting = atlas.examples.length ? { example: 0 } : null;
    this.isPinned = false;
    this.pointed = null;
    this.readAddress(query);
    this.shown = new Set(innerWidth < NARROW_PX ? [atlas.models[0].id] : atlas.models.map((model) => model.id));
    const results = new Results(this.parts, atlas, {
      choose: ([, lat, lng]) => this.pin({ lat, lng }),
      light: (item) => this.light(item),
    });
    this.results = results;
    this.below.replaceChildren(results.element);
    this.attribution.replaceChildren(
      el("span", {}, atlas.summary),
      el("span", {}, atlas.attribution.join(" · ")),
      el("a", { href: this.about.project, rel: "noopener" }, "UniGeoCLIP: the paper"),
      el("span", {}, `made with unigeoclip ${this.about.version}`),
    );
    this.header.update();
    this.showModels();
    await results.load().catch((error) => this.fail(error));
    this.update();
  }

  /** @param {string} query "3" is the third example, "42.36,-71.06" a point. */
  readAddress(query) {
    const numbers = query.split(",").map(Number);
    if (!query || numbers.some((number) => !Number.isFinite(number))) return;
    if (numbers.length === 1 && this.atlas.examples[numbers[0] - 1]) this.resting = { example: numbers[0] - 1 };
    else if (numbers.length === 2 && Math.abs(numbers[0]) <= 90)
      this.resting = { at: { lat: numbers[0], lng: numbers[1] } };
    else return;
    this.isPinned = true;
  }

  /** Make the maps of the models that are to be shown. */
  showModels() {
    for (const pane of this.panes) if (!this.shown?.has(pane.model.id)) pane.destroy();
    const kept = new Map(
      this.panes.filter((pane) => this.shown?.has(pane.model.id)).map((pane) => [pane.model.id, pane]),
    );
    this.panes = this.atlas.models
      .filter((model) => this.shown?.has(model.id))
      .map((model) => kept.get(model.id) ?? new Pane(this, this.atlas, model));
    this.maps.replaceChildren(...this.panes.map((pane) => pane.element));
    this.maps.dataset.count = String(this.panes.length);
    for (const pane of this.panes) {
      if (kept.has(pane.model.id)) continue;
      pane.start(this.atlas);
      this.send(pane);
    }
    this.update();
  }

  /** @param {Pane} pane */
  async send({ id, model }) {
    if (this.sent.has(id)) return;
    this.sent.add(id);
    try {
      const buffer = await this.parts.bytes(model.part);
      this.worker.postMessage({ kind: "grid", id, buffer }, [buffer]);
    } catch (error) {
      this.sent.delete(id);
      this.fail(/** @type {Error} */ (error));
      return;
    }
    if (model.encoder) await this.sendEncoder(id, model.encoder);
  }

  /**
   * Without the encoder points are interpolated, so that nobody is told where it cannot be had.
   *
   * @param {string} id
   * @param {string} part
   */
  async sendEncoder(id, part) {
    this.awaited += 1;
    const buffer = await this.parts.bytes(part).catch(() => null);
    if (buffer) this.worker.postMessage({ kind: "encoder", id, buffer }, [buffer]);
    else this.awaited -= 1;
  }

  awaited = 0; // encoders, for tests

  // What people do

  /** @param {Position | null} at */
  hover(at) {
    if (this.isPinned || (at === null && this.pointed === null)) return;
    this.pointed = at;
    this.ask();
  }

  /** A finger has left the map: its last point stays. */
  rest() {
    if (this.pointed && !this.isPinned) this.resting = { at: this.pointed };
  }

  /** @param {Position} at */
  pin(at) {
    this.resting = { at };
    this.isPinned = true;
    this.pointed = null;
    this.update();
  }

  /** @param {number} example */
  choose(example) {
    this.resting = { example };
    this.isPinned = true;
    this.pointed = null;
    this.update();
  }

  /** Follow the pointer again. */
  unpin() {
    if (!this.isPinned) return;
    this.isPinned = false;
    this.update();
  }

  /** @param {number} opacity */
  setOpacity(opacity) {
    this.opacity = opacity;
    for (const pane of this.panes) {
      pane.layer.setOpacity(opacity);
      pane.legend.markOpacity(opacity);
    }
  }

  /** @param {"similarity" | "colors"} layer */
  setLayer(layer) {
    this.layer = layer;
    this.update();
  }

  /** @param {Pane} leader */
  follow(leader) {
    if (this.isFollowing) return;
    this.isFollowing = true;
    for (const pane of this.panes) {
      if (pane !== leader && pane.isPlaced)
        pane.map.setView(leader.map.getCenter(), leader.map.getZoom(), { animate: false });
    }
    this.isFollowing = false;
  }

  isFollowing = false;

  /** @param {Item | null} item */
  light(item) {
    this.lit = item;
    this.mark();
  }

  /** @type {Item | null} */
  lit = null;

  /** @returns {Query | null} */
  get query() {
    return this.pointed ? { at: this.pointed } : this.resting;
  }

  /** @returns {Example | null} */
  get example() {
    const { query } = this;
    return query && "example" in query ? this.atlas.examples[query.example] : null;
  }

  update() {
    this.header.update();
    this.writeAddress();
    this.ask();
  }

  writeAddress() {
    const { atlas, resting } = this;
    let words = "";
    if (this.isPinned && resting) {
      words =
        "at" in resting ? `/${resting.at.lat.toFixed(5)},${resting.at.lng.toFixed(5)}` : `/${resting.example + 1}`;
    }
    const hash = `#${atlas.name}${words}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  // Computing: one question at a time; what the pointer has left by then is not asked.

  ask() {
    const { query } = this;
    if (!query || this.panes.length === 0) return;
    if (this.isAsking) {
      this.isStale = true;
      return;
    }
    this.isAsking = true;
    this.isStale = false;
    this.computing = query;
    this.number += 1;
    const asked = this.panes.map((pane) => ({ id: pane.id, ask: this.askOf(pane) }));
    this.worker.postMessage({ kind: "ask", number: this.number, asked });
  }

  /**
   * @param {Pane} pane
   * @returns {Ask}
   */
  askOf({ model }) {
    const { example, query } = this;
    if (this.layer === "colors") return { kind: "colors", turn: model.turn };
    if (query && "at" in query) return { kind: "point", at: query.at, limits: model.limits };
    if (!example) return { kind: "best", limits: model.limits };
    if (model !== this.atlas.models[0]) {
      if (!example.at) return { kind: "best", limits: model.limits };
      return { kind: "point", at: { lat: example.at[0], lng: example.at[1] }, limits: model.limits };
    }
    return { kind: "vector", along: example.along, constant: example.constant, limits: example.limits };
  }

  /** @param {FromWorker} answer */
  heard(answer) {
    if (answer.kind === "failed") this.fail(new Error(answer.words));
    if (answer.kind === "ready") {
      this.ready.add(answer.id);
      if (answer.encodes) this.awaited -= 1;
      this.ask(); // its pane has yet to be painted
      return;
    }
    if (answer.kind === "painted" && answer.number !== this.number) return;
    this.isAsking = false;
    if (answer.kind === "painted") this.show(answer);
    if (this.isStale) this.ask();
  }

  /** @param {Extract<FromWorker, { kind: "painted" }>} answer */
  show({ panes, point, ms }) {
    if (panes.length === 0) {
      const isKnown = this.panes.some(({ id }) => this.ready.has(id));
      if (isKnown) this.header.say(`${this.words()}: nothing is known here`);
      return;
    }
    this.took = ms;
    this.painted += 1;
    document.documentElement.dataset.painted = String(this.painted);
    this.answers = panes;
    for (const pane of this.panes) {
      const answer = panes.find(({ id }) => id === pane.id);
      pane.picture.dataset.shown = String(Boolean(answer));
      const isBest = Boolean(answer?.at) && this.example !== null && !this.example.at;
      pane.explain(
        this.layer === "colors"
          ? colorsLegend(pane.model)
          : similarityLegend(pane.model, this.about.colors, this.example, isBest),
      );
    }
    this.mark();
    this.header.say(this.words());
    clearTimeout(this.timer);
    const { example } = this;
    if (example) this.results?.showExample(example);
    else if (point) this.timer = window.setTimeout(() => this.results?.showPoint(point), REST_MS);
  }

  /** @type {Painted[]} */
  answers = [];

  words() {
    const { example, query } = this;
    if (example) return example.title;
    return query && "at" in query ? coordinates(query.at, this.atlas.isCity ? 4 : 2).join(", ") : "";
  }

  mark() {
    const { query, lit } = this;
    for (const pane of this.panes) {
      /** @type {Parameters<Pane["mark"]>[0]} */
      const markers = [];
      const answer = this.answers.find(({ id }) => id === pane.id);
      if (this.layer === "similarity" && answer?.best && !this.pointed) {
        markers.push({ kind: "best", at: answer.best });
      }
      const at = query && "at" in query && !this.pointed ? query.at : answer?.at;
      if (at && !this.pointed) markers.push({ kind: "query", at });
      if (lit) markers.push({ kind: "place", at: { lat: lit[1], lng: lit[2] } });
      pane.mark(markers);
    }
  }

  /** @param {Error} error */
  fail(error) {
    this.header.complain(error.message);
  }
}

/** @param {string} address Of the service worker, which keeps the site on the device. */
function keep(address) {
  navigator.serviceWorker?.register(address).catch(() => null); // the page works without it, too
}

const about = /** @type {About} */ (JSON.parse(document.getElementById("about")?.textContent ?? "{}"));
const root = document.getElementById("app");
if (root) {
  root.ugcSite = new Site(about, root);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") root.ugcSite?.unpin();
  });
  if (about.offline) keep(about.offline);
}
