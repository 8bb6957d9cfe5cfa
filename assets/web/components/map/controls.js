// What lies over a pane: zoom, base map, legend with opacity, scale, position under the pointer, attribution.
// Everything is a real button, slider or text, so that keyboard and screen reader get it for free.

import { coordinates, el } from "../../dom.js";
import { Find } from "./find.js";
import { Threshold } from "./threshold.js";
import { Legend } from "./legend.js";

/** @import { BaseStyle, Legend as LegendProps, MapProps, Pane as PaneProps } from "../../protocol" */
/** @import { Pane } from "./pane.js" */

const LIVE = "The heatmap follows the pointer, computed in this browser; a click gives the exact answer";

export class Controls {
  /**
   * @param {Pane} pane
   * @param {MapProps} data
   */
  constructor(pane, data) {
    this.pane = pane;
    /** @type {HTMLButtonElement[]} */
    this.bases = [];
    /** @type {HTMLButtonElement[]} */
    this.asks = [];
    /** @type {HTMLButtonElement | null} */
    this.drawing = null;
    /** @type {HTMLButtonElement | null} */
    this.live = null;
    /** @type {HTMLElement | null} */
    this.liveRow = null;
    /** @type {PaneProps | null} */
    this.spec = null;
    this.title = el("h3.ugc-pane-title", { hidden: "" });
    this.threshold = new Threshold(pane);
    this.legend = new Legend((opacity) => pane.owner.setOpacity(opacity), this.threshold.element);
    this.position = el("span.ugc-position");
    this.value = el("span.ugc-position.ugc-value", { hidden: "" });
    this.attribution = el("span.ugc-attribution");
    this.styles = data.base.styles;
    // Panes that move together need one set of buttons.
    const isFirst = data.panes[0].id === pane.id;
    const find = isFirst && data.names ? new Find(data.names, (place) => pane.owner.visit(pane, place)).element : null;
    this.corner("topleft", isFirst ? this.zoomButtons(data) : null, find, this.title);
    if (isFirst) {
      this.corner(
        "topright",
        this.baseButtons(data.base.styles),
        data.ask_by ? this.askButtons() : null,
        data.region ? this.regionButtons(data.region) : null,
        this.liveButton(),
      );
    }
    this.corner("bottomleft", this.legend.element);
    const readings = el("div.ugc-readings", {}, this.value, this.position, this.scale());
    this.corner("bottomright", readings, this.attribution).classList.add("is-passive");
  }

  /**
   * @param {string} name
   * @param {...(HTMLElement | null)} children
   */
  corner(name, ...children) {
    const element = el(`div.ugc-corner.ugc-corner-${name}`, {}, ...children);
    this.pane.L.DomEvent.disableClickPropagation(element);
    this.pane.L.DomEvent.disableScrollPropagation(element);
    this.pane.element.append(element);
    return element;
  }

  scale() {
    const scale = this.pane.L.control.scale({ imperial: false, position: "bottomright" });
    // As wide as its letters need: on a large screen, and in poster mode, those are larger.
    const get = () => 7 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    Object.defineProperty(scale.options, "maxWidth", { get });
    scale.addTo(this.pane.map);
    return el("span.ugc-scale-slot", {}, scale.getContainer());
  }

  /** @param {MapProps} data */
  zoomButtons(data) {
    const { map } = this.pane;
    /** @type {(label: string, sign: string, act: () => void) => HTMLElement} */
    const button = (label, sign, act) =>
      el("button.ugc-button", { type: "button", title: label, "aria-label": label, onclick: act }, sign);
    return el(
      "div.ugc-buttons",
      {},
      button("Zoom in", "+", () => map.zoomIn(1)),
      button("Zoom out", "−", () => map.zoomOut(1)),
      button("Show the whole map", "⤢", () => this.pane.home(data)),
    );
  }

  /** @param {BaseStyle[]} styles */
  baseButtons(styles) {
    this.bases = styles.map(({ id, label, meaning }) =>
      textButton(label, meaning, () => this.pane.owner.setBase(id), { "data-base": id }),
    );
    return styles.length > 1 ? row("Base map", ...this.bases) : null;
  }

  askButtons() {
    /** @type {["point" | "place", string, string][]} */
    const choices = [
      ["point", "Point", "A click queries the point alone"],
      ["place", "Full place", "A click queries all modalities of the nearest place at once"],
    ];
    this.asks = choices.map(([by, label, meaning]) =>
      textButton(label, meaning, () => this.pane.owner.setAskBy(by), { "data-by": by }),
    );
    return row("Query by click", rowName("Query by click"), ...this.asks);
  }

  /** @param {string} label */
  regionButtons(label) {
    const { owner, map } = this.pane;
    this.drawing = textButton("Draw", "Drag a rectangle on the map to choose it", () => this.pane.drawing.toggle());
    return row(
      `${label}: choose a region`,
      rowName(label),
      textButton("All", "Choose the whole atlas, and show it", () => owner.chooseRegion(null)),
      textButton("This view", "Choose what the map shows now", () => owner.chooseRegion(map.getBounds(), true)),
      this.drawing,
    );
  }

  liveButton() {
    const { owner } = this.pane;
    this.live = textButton("Live", LIVE, () => owner.setLive(!owner.memory.live), { "aria-pressed": "false" });
    this.liveRow = row("Live similarity", this.live);
    this.liveRow.hidden = true;
    return this.liveRow;
  }

  /**
   * @param {boolean} isPossible
   * @param {boolean} isOn
   * @param {boolean} isWaiting
   */
  markLive(isPossible, isOn, isWaiting) {
    if (!this.live || !this.liveRow) return;
    this.liveRow.hidden = !isPossible;
    this.live.setAttribute("aria-pressed", String(isOn));
    this.live.textContent = isWaiting ? "Live: preparing …" : "Live";
  }

  /** @param {string} words */
  sayLiveFailed(words) {
    if (this.live) this.live.title = `The live map does not work here: ${words}`;
    this.value.textContent = "The live map cannot be fetched; clicks are answered as always.";
    this.value.hidden = false;
  }

  /** @param {boolean} on */
  markDrawing(on) {
    this.drawing?.setAttribute("aria-pressed", String(on));
  }

  /** @param {string} by */
  markAskBy(by) {
    for (const button of this.asks) button.setAttribute("aria-pressed", String(button.dataset.by === by));
  }

  /** @param {string} id */
  markBase(id) {
    const attribution = this.styles.find((style) => style.id === id)?.attribution ?? "";
    this.attribution.textContent = attribution;
    this.attribution.title = attribution;
    for (const button of this.bases) button.setAttribute("aria-pressed", String(button.dataset.base === id));
  }

  /** @param {string} id */
  sayOffline(id) {
    if (id !== this.pane.owner.memory.base) return;
    this.attribution.textContent = "The online map cannot be reached. The others need no internet.";
  }

  /** @param {PaneProps} spec */
  update(spec) {
    this.title.hidden = !spec.title;
    this.title.replaceChildren(spec.title ?? "", ...(spec.note ? [el("small", {}, spec.note)] : []));
    this.title.title = spec.meaning ?? "";
    this.spec = spec;
    this.showLegend(null);
  }

  /** @param {LegendProps | null} legend In place of the answer's own; null for that. */
  showLegend(legend) {
    this.legend.update(legend ?? this.spec?.legend, this.pane.owner.memory.opacity);
    this.threshold.update(legend ? undefined : this.spec?.areas); // of the exact answer
  }

  /**
   * The position under the pointer, and what the heatmap says there; null when the pointer has left the map.
   *
   * @param {{ lat: number, lng: number } | null} position
   * @param {string} [value]
   */
  pointer(position, value = "") {
    this.value.textContent = position ? value : "";
    this.value.hidden = !this.value.textContent;
    const zoom = this.pane.map.getZoom();
    const digits = zoom > 13 ? 5 : zoom > 9 ? 4 : 1;
    this.position.textContent = position ? coordinates(position, digits).join("  ") : "";
  }
}

/**
 * @param {string} label
 * @param {string} meaning
 * @param {() => void} act
 * @param {Record<string, string>} [attributes]
 */
function textButton(label, meaning, act, attributes = {}) {
  const every = { type: "button", title: meaning, onclick: act };
  return el("button.ugc-button.ugc-button-text", { ...every, ...attributes }, label);
}

/**
 * @param {string} label
 * @param {...HTMLElement} children
 */
function row(label, ...children) {
  return el("div.ugc-buttons.is-row", { role: "group", "aria-label": label }, ...children);
}

/** @param {string} name */
const rowName = (name) => el("span.ugc-buttons-name", { "aria-hidden": "true" }, name);
