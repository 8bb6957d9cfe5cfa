// The legend of a pane: a bar with figures, or swatches with labels, and the slider of the heatmap's opacity.

import { el } from "../../dom.js";

/** @import { Legend as LegendProps } from "../../protocol" */

const MARK_TURNS_LEFT = 0.4; // from that fraction of the bar on, a mark's name stands on its left

/** @param {number} fraction */
export const percent = (fraction) => `${(fraction * 100).toFixed(1)}%`;

/**
 * The colors of a bar as a CSS gradient.
 *
 * @param {[number, number, string][]} stops
 */
export function gradient(stops) {
  return `linear-gradient(90deg, ${stops.map(([fraction, , color]) => `${color} ${percent(fraction)}`).join(", ")})`;
}

export class Legend {
  /**
   * @param {(opacity: number) => void} onOpacity Called when the slider is moved.
   * @param {HTMLElement} [more] What stands below it.
   */
  constructor(onOpacity, more) {
    this.onOpacity = onOpacity;
    this.more = more ? [more] : [];
    this.element = el("section.ugc-legend", { "aria-label": "Legend", hidden: "" });
    this.key = JSON.stringify(null);
    /** @type {{ slider: HTMLInputElement, output: HTMLOutputElement } | null} */
    this.opacity = null;
  }

  /**
   * @param {LegendProps | undefined} legend
   * @param {number} opacity
   */
  update(legend, opacity) {
    const key = JSON.stringify(legend ?? null);
    if (key === this.key) return;
    this.key = key;
    this.element.hidden = !legend;
    if (!legend) return;
    this.element.replaceChildren(
      el("div.ugc-legend-title", {}, legend.title),
      ...(legend.stops ? bar(legend, legend.stops) : []),
      ...(legend.swatches ? [swatches(legend.swatches, legend.named)] : []),
      ...(legend.words ? [el(`div.ugc-legend-note${legend.weak ? ".is-weak" : ""}`, {}, legend.words)] : []),
      ...(legend.fixed ? [] : [this.opacityRow()]),
      ...this.more,
    );
    this.markOpacity(opacity);
  }

  opacityRow() {
    const slider = el("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 5,
      "aria-label": "Heatmap opacity",
      oninput: () => this.onOpacity(Number(slider.value) / 100),
    });
    this.opacity = { slider, output: el("output") };
    return el("label.ugc-legend-opacity", {}, el("span", {}, "Opacity"), slider, this.opacity.output);
  }

  /** @param {number} opacity */
  markOpacity(opacity) {
    if (!this.opacity) return;
    this.opacity.slider.value = String(Math.round(opacity * 100));
    this.opacity.output.textContent = `${Math.round(opacity * 100)} %`;
  }
}

/**
 * @param {LegendProps} legend
 * @param {[number, number, string][]} stops
 */
function bar({ ticks = [], marks = [], low, high }, stops) {
  const at = (/** @type {number} */ fraction) => ({ style: `left:${percent(fraction)}` });
  const side = (/** @type {number} */ fraction) => (fraction > MARK_TURNS_LEFT ? ".is-left" : "");
  const markRow = marks.map(([fraction, label]) => el(`span${side(fraction)}`, at(fraction), label));
  const tickRow = ticks.map(([fraction, label]) => el("span", at(fraction), label));
  return [
    ...(marks.length ? [el("div.ugc-legend-marks", { "aria-hidden": "true" }, ...markRow)] : []),
    el("div.ugc-legend-bar", { style: `background:${gradient(stops)}` }),
    el("div.ugc-legend-ticks", { "aria-hidden": "true" }, ...tickRow),
    el("div.ugc-legend-words", {}, el("span", {}, low), el("span", {}, high)),
  ];
}

/**
 * Colors with labels, and a figure beside each where there is one; long labels are cut, and whole as a tooltip.
 *
 * @param {NonNullable<LegendProps["swatches"]>} list
 * @param {boolean} [named]
 */
function swatches(list, named = false) {
  return el(
    `ul.ugc-legend-swatches${named ? ".is-named" : ""}`,
    {},
    ...list.map(([color, label, figure]) =>
      el(
        "li",
        { title: named ? label : null },
        el("i", { style: `background:${color}` }),
        el("span", {}, figure && !named ? `${label}: ${figure}` : label),
        figure && named ? el("b", {}, figure) : null,
      ),
    ),
  );
}
