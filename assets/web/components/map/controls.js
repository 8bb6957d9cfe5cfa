// What lies over a pane: zoom, base map, legend with opacity, scale, position under the pointer, attribution.
// Everything is a real button, slider or text, so that keyboard and screen reader get it for free.

/** Build an element: el("div.class", {attribute: value}, ...children). */
export function el(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export class Controls {
  constructor(pane, data) {
    this.pane = pane;
    const corner = (name, ...children) => {
      const element = el(`div.ugc-corner.ugc-corner-${name}`, {}, ...children);
      pane.L.DomEvent.disableClickPropagation(element);
      pane.L.DomEvent.disableScrollPropagation(element);
      pane.element.append(element);
      return element;
    };
    // Panes that move together need one set of buttons.
    const first = data.panes[0].id === pane.id;
    this.bases = [];
    this.title = el("h3.ugc-pane-title", { hidden: "" });
    corner("topleft", first ? this.zoomButtons(data) : null, this.title);
    if (first) {
      corner(
        "topright",
        this.baseButtons(data.base.styles),
        data.ask_by ? this.askButtons() : null,
        data.region ? this.regionButtons() : null,
      );
    }
    this.legend = el("section.ugc-legend", { "aria-label": "Legend", hidden: "" });
    corner("bottomleft", this.legend);
    this.position = el("span.ugc-position");
    this.value = el("span.ugc-position.ugc-value", { hidden: "" });
    this.attribution = el("span.ugc-attribution");
    this.styles = data.base.styles;
    this.scale = pane.L.control.scale({ imperial: false, position: "bottomright" });
    // As wide as its letters need: on a large screen, and in poster mode, those are larger.
    Object.defineProperty(this.scale.options, "maxWidth", { get: () => 7 * parseFloat(getComputedStyle(document.documentElement).fontSize) });
    this.scale.addTo(pane.map);
    const foot = corner("bottomright", el("div.ugc-readings", {}, this.value, this.position, el("span.ugc-scale-slot")), this.attribution);
    foot.querySelector(".ugc-scale-slot").append(this.scale.getContainer());
    foot.classList.add("is-passive");
  }

  zoomButtons(data) {
    const { map } = this.pane;
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

  baseButtons(styles) {
    this.bases = styles.map((style) =>
      el(
        "button.ugc-button.ugc-button-text",
        { type: "button", title: style.meaning, "data-base": style.id, onclick: () => this.pane.owner.setBase(style.id) },
        style.label,
      ),
    );
    return styles.length > 1 ? el("div.ugc-buttons.is-row", { role: "group", "aria-label": "Base map" }, ...this.bases) : null;
  }

  askButtons() {
    const choices = [
      ["point", "Point", "A click asks by the point alone"],
      ["place", "Whole place", "A click asks by all modalities of the nearest place at once"],
    ];
    this.asks = choices.map(([id, label, meaning]) =>
      el(
        "button.ugc-button.ugc-button-text",
        { type: "button", title: meaning, "data-by": id, onclick: () => this.pane.owner.setAskBy(id) },
        label,
      ),
    );
    const name = el("span.ugc-buttons-name", { "aria-hidden": "true" }, "A click asks by");
    return el("div.ugc-buttons.is-row", { role: "group", "aria-label": "A click asks by" }, name, ...this.asks);
  }

  regionButtons() {
    const { owner, map } = this.pane;
    const choose = (label, meaning, act) =>
      el("button.ugc-button.ugc-button-text", { type: "button", title: meaning, onclick: act }, label);
    this.drawing = choose("Draw", "Drag a rectangle on the map; it is compared in more detail", () => this.pane.draw());
    return el(
      "div.ugc-buttons.is-row",
      { role: "group", "aria-label": "Compare in detail" },
      el("span.ugc-buttons-name", { "aria-hidden": "true" }, "Compare"),
      choose("All", "Compare the whole atlas, and show it", () => owner.chooseRegion(null)),
      choose("This view", "Compare what the map shows now, in more detail", () => owner.chooseRegion(map.getBounds(), true)),
      this.drawing,
    );
  }

  markDrawing(on) {
    this.drawing?.setAttribute("aria-pressed", String(on));
  }

  markAskBy(by) {
    for (const button of this.asks ?? []) button.setAttribute("aria-pressed", String(button.dataset.by === by));
  }

  markBase(id) {
    const attribution = this.styles.find((style) => style.id === id)?.attribution ?? "";
    this.attribution.textContent = attribution;
    this.attribution.title = attribution;
    for (const button of this.bases) button.setAttribute("aria-pressed", String(button.dataset.base === id));
  }

  sayOffline(id) {
    if (id === this.pane.owner.memory.base) this.attribution.textContent = "The online map cannot be reached. The others need no internet.";
  }

  update(spec, data) {
    this.title.hidden = !spec.title;
    this.title.replaceChildren(spec.title ?? "", ...(spec.note ? [el("small", {}, spec.note)] : []));
    this.title.title = spec.meaning ?? "";
    const legend = spec.legend;
    const key = JSON.stringify(legend ?? null);
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.legend.hidden = !legend;
    if (!legend) return;
    this.legend.replaceChildren(
      el("div.ugc-legend-title", {}, legend.title),
      ...(legend.stops ? this.bar(legend) : []),
      ...(legend.swatches ? [this.swatches(legend.swatches, legend.named)] : []),
      ...(legend.words ? [el(`div.ugc-legend-note${legend.weak ? ".is-weak" : ""}`, {}, legend.words)] : []),
      ...(legend.fixed ? [] : [this.opacity()]),
    );
    this.markOpacity(this.pane.owner.memory.opacity);
  }

  bar(legend) {
    const colours = legend.stops.map(([fraction, , colour]) => `${colour} ${(fraction * 100).toFixed(1)}%`).join(", ");
    const ticks = legend.ticks.map(([fraction, label]) =>
      el("span", { style: `left:${(fraction * 100).toFixed(1)}%` }, label),
    );
    const marks = (legend.marks ?? []).map(([fraction, label]) =>
      el(`span${fraction > 0.4 ? ".is-left" : ""}`, { style: `left:${(fraction * 100).toFixed(1)}%` }, label),
    );
    return [
      ...(marks.length ? [el("div.ugc-legend-marks", { "aria-hidden": "true" }, ...marks)] : []),
      el("div.ugc-legend-bar", { style: `background:linear-gradient(90deg, ${colours})` }),
      el("div.ugc-legend-ticks", { "aria-hidden": "true" }, ...ticks),
      el("div.ugc-legend-words", {}, el("span", {}, legend.low), el("span", {}, legend.high)),
    ];
  }

  /** Colors with labels, and a figure beside each where there is one; long labels are cut, and whole as a tooltip. */
  swatches(list, named = false) {
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

  opacity() {
    this.slider = el("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 5,
      "aria-label": "Heatmap opacity",
      oninput: (event) => this.pane.owner.setOpacity(Number(event.target.value) / 100),
    });
    this.percent = el("output");
    return el("label.ugc-legend-opacity", {}, el("span", {}, "Opacity"), this.slider, this.percent);
  }

  markOpacity(opacity) {
    if (!this.slider) return;
    this.slider.value = String(Math.round(opacity * 100));
    this.percent.textContent = `${Math.round(opacity * 100)} %`;
  }

  /** The position under the pointer, and what the heatmap says there. */
  pointer(latlng, value = "") {
    this.value.textContent = latlng ? value : "";
    this.value.hidden = !this.value.textContent;
    if (!latlng) {
      this.position.textContent = "";
      return;
    }
    const zoom = this.pane.map.getZoom();
    const digits = zoom > 13 ? 5 : zoom > 9 ? 4 : 1;
    const side = (value, positive, negative) => `${Math.abs(value).toFixed(digits)}° ${value < 0 ? negative : positive}`;
    this.position.textContent = `${side(latlng.lat, "N", "S")}  ${side(latlng.lng, "E", "W")}`;
  }
}
