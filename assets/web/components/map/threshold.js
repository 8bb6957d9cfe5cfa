// The threshold of a heatmap: a slider of similarity in the legend. What does not reach it is veiled on the map, and the
// area that does is told. All of it in the browser, from a small picture that is fetched when it is first needed.

import { el } from "../../dom.js";
import { Areas, areaInWords } from "./areas.js";
import { toBounds } from "./geometry.js";
import { pixelsOf } from "./values.js";

/** @import { AreaGrid } from "../../protocol" */
/** @import { Pane } from "./pane.js" */

const VEIL = { light: 0xc8f6f4f0, dark: 0xc8181410 }; // alpha, blue, green, red
const MEANING = "Show only where the similarity is at least this; cells of the map count with their true area";

export class Threshold {
  /** @param {Pane} pane */
  constructor(pane) {
    this.pane = pane;
    /** @type {AreaGrid | null} */
    this.spec = null;
    /** @type {Areas | null} */
    this.areas = null;
    /** @type {Promise<void> | null} */
    this.fetching = null;
    /** @type {L.SVGOverlay | null} */
    this.layer = null;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "ugc-veil";
    /** @type {HTMLInputElement} */
    this.slider = el("input", {
      type: "range",
      min: 0,
      max: 1,
      value: 0,
      title: MEANING,
      "aria-label": "Show only similarities of at least",
      onfocus: () => this.fetch(),
      onpointerenter: () => this.fetch(),
      oninput: () => this.moved(),
    });
    this.output = el("output", {}, "off");
    this.words = el("div.ugc-legend-area", { role: "status", hidden: "" });
    const row = el("label.ugc-legend-opacity", {}, el("span", {}, "At least"), this.slider, this.output);
    this.element = el("div.ugc-legend-threshold", { hidden: "" }, row, this.words);
  }

  /** @param {AreaGrid | undefined} spec Of the answer that is shown; undefined while none is. */
  update(spec) {
    this.element.hidden = !spec;
    if (!spec) {
      this.veil(null);
      return;
    }
    if (spec.url !== this.spec?.url) {
      this.spec = spec;
      this.areas = null;
      this.fetching = null;
      this.slider.min = "0";
    }
    this.show();
  }

  fetch() {
    this.fetching ??= this.fetched();
    return this.fetching;
  }

  async fetched() {
    const { spec } = this;
    const pixels = spec && (await pixelsOf(spec.url));
    if (!spec || !pixels || spec !== this.spec) return;
    this.areas = new Areas(spec, pixels);
    this.slider.min = "1";
    this.slider.max = String(this.areas.most);
    this.show();
  }

  async moved() {
    const wanted = Number(this.slider.value);
    if (!this.areas) await this.fetch(); // moved by touch, before it had the focus
    if (!this.areas) return;
    this.pane.owner.setThreshold(wanted > 1 ? this.areas.similarityOf(wanted) : null);
  }

  /** Show the threshold that the map remembers. */
  show() {
    const { above } = this.pane.owner.memory;
    this.words.hidden = above === null;
    if (above === null) {
      this.slider.value = this.slider.min;
      this.output.textContent = "off";
      this.slider.setAttribute("aria-valuetext", "off");
      this.veil(null);
      return;
    }
    if (!this.areas) {
      if (this.spec) this.fetch();
      return;
    }
    const code = this.areas.codeOf(above);
    this.slider.value = String(code);
    this.output.textContent = String(above);
    this.words.textContent = areaInWords(this.areas.above(code), this.areas.spec.land);
    this.slider.setAttribute("aria-valuetext", `${above}: ${this.words.textContent}`);
    this.veil(code);
  }

  /** @param {number | null} code The step that is not veiled; null for no veil. */
  veil(code) {
    if (code === null || !this.areas || this.element.hidden) {
      this.layer?.remove();
      this.layer = null;
      return;
    }
    const { L, map, owner } = this.pane;
    const { width, height } = this.areas.size;
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    const color = owner.root.classList.contains("is-dark") ? VEIL.dark : VEIL.light;
    this.areas.paint(new Uint32Array(image.data.buffer), code, color);
    context.putImageData(image, 0, 0);
    if (this.layer) return;
    const options = { opacity: 1, className: "ugc-veil", interactive: false, zIndex: 2 };
    // Leaflet places any element so, not only an SVG.
    const element = /** @type {SVGElement} */ (/** @type {unknown} */ (this.canvas));
    this.layer = L.svgOverlay(element, toBounds(L, this.areas.spec.bounds), options).addTo(map);
  }
}
