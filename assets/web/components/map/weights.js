// The weights of a query while they are moved. Streamlit tells Python of a slider when it is let go, and the answer takes
// a while; until then the map shows the sum that this browser computes of the heatmaps of the items.

/** @import { LiveWeights } from "../../protocol" */
/** @import { CompactGrid } from "./compact-grid.js" */
/** @import { SyncedMap } from "./synced-map.js" */

const ROUNDING = 1e-9;

export class Weights {
  /** @param {SyncedMap} owner */
  constructor(owner) {
    this.owner = owner;
    this.observer = new MutationObserver(() => this.moved());
    /** @type {HTMLInputElement | null} the slider that is observed */
    this.slider = null;
    this.touched = (/** @type {Event} */ event) => this.touch(event);
    for (const kind of TOUCHES) document.addEventListener(kind, this.touched, { capture: true });
  }

  /** @returns {LiveWeights | undefined} */
  get spec() {
    return this.owner.panes[0].live?.weights;
  }

  /** @param {Event} event A slider is about to be moved, if it is one of ours: what that needs is fetched. */
  touch({ target }) {
    const { spec } = this;
    const box = target instanceof Element && target.closest("[class*=st-key-weight-]");
    const key = box && spec?.sliders.find((each) => box.classList.contains(`st-key-${each}`));
    const slider = key ? sliderOf(key) : null;
    if (!spec || !slider || slider === this.slider) return;
    this.slider = slider;
    this.observer.disconnect();
    this.observer.observe(slider, { attributes: true });
    fetch(spec.url).catch(() => null); // the browser keeps it
  }

  moved() {
    const { spec } = this;
    if (!spec || !this.slider?.isConnected) return;
    const weights = spec.values.map((value, i) => Number(sliderOf(spec.sliders[i])?.value ?? value));
    const isAnswered = isSameQuery(weights, spec.values) || !weights.some(Boolean);
    this.owner.live.weigh(isAnswered ? null : weights);
  }

  destroy() {
    this.observer.disconnect();
    for (const kind of TOUCHES) document.removeEventListener(kind, this.touched, { capture: true });
  }
}

const TOUCHES = ["pointerdown", "focusin"];

/**
 * @param {string} key
 * @returns {HTMLInputElement | null} Null while its popover is closed.
 */
const sliderOf = (key) => document.querySelector(`.st-key-${key} input[type=range]`);

/**
 * Whether weights differ by a factor above zero only, which changes no heatmap.
 *
 * @param {number[]} weights
 * @param {number[]} others
 */
export function isSameQuery(weights, others) {
  const largest = others.reduce((best, value, i) => (Math.abs(value) > Math.abs(others[best]) ? i : best), 0);
  const factor = weights[largest] / others[largest];
  return factor > 0 && weights.every((value, i) => Math.abs(value - factor * others[i]) < ROUNDING);
}

/**
 * The heatmap of a query with these weights, but for a factor and a summand: see
 * `unigeoclip/search/composing/alternatives.py`.
 *
 * @param {CompactGrid} grid With an item's heatmap as each component.
 * @param {number[]} weights
 * @param {LiveWeights["combine"]} combine
 */
export function combined(grid, weights, combine) {
  const { mean } = grid.header;
  const sum = (/** @type {number[]} */ shares) =>
    grid.similarities(
      shares,
      shares.reduce((total, share, i) => total + share * mean[i], 0),
    );
  const added = [...weights.keys()].filter((i) => weights[i] > 0);
  if (combine === "sum" || added.length < 2) return sum(weights);
  /** @type {Float32Array | null} */
  let largest = null;
  for (const i of added) {
    const values = sum(weights.map((weight, each) => (each === i ? 1 : Math.min(weight, 0))));
    if (largest) for (let cell = 0; cell < values.length; cell++) largest[cell] = Math.max(largest[cell], values[cell]);
    else largest = values.slice();
  }
  return largest ?? sum(weights);
}
