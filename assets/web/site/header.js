// What stands above the maps: which atlas, which models, what is shown, examples, and what is asked now.

import { el } from "../dom.js";

/** @import { Site } from "./app.js" */

const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/**
 * A group of buttons of which one is pressed.
 *
 * @param {string} label
 * @param {{ text: string, isPressed: boolean, press: () => void }[]} choices
 */
function choice(label, choices) {
  const buttons = choices.map(({ text, isPressed, press }) =>
    el("button", { type: "button", "aria-pressed": isPressed, onclick: press }, text),
  );
  return el("div.site-choice", { role: "group", "aria-label": label }, ...buttons);
}

export class Header {
  /** @param {Site} site */
  constructor(site) {
    this.site = site;
    this.theme = 0;
    this.controls = el("div.site-controls");
    this.themeButton = el("button.site-theme", { type: "button", onclick: () => this.turnTheme() }, "◐");
    this.themeButton.setAttribute("aria-label", `Theme: ${THEMES[this.theme]}`);
    this.examples = el("div.site-examples", { role: "group", "aria-label": "Examples" });
    this.said = el("span.site-said");
    this.state = el("div.site-state", { role: "status" });
    this.problem = el("p.site-problem", { role: "alert", hidden: "" });
    this.element = el(
      "header.site-head",
      {},
      el("div.site-bar", {}, el("h1", {}, "UniGeoCLIP"), this.controls, this.themeButton),
      this.examples,
      this.state,
      this.problem,
    );
    this.key = "";
  }

  update() {
    const { about, atlas, isPinned, layer, panes, resting } = this.site;
    this.problem.hidden = true;
    const key = JSON.stringify([atlas.name, layer, panes.map(({ id }) => id), isPinned, resting]);
    if (key === this.key) return;
    this.key = key;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.textContent;
    this.controls.replaceChildren(
      ...(about.atlases.length > 1 ? [this.atlasChoice()] : []),
      this.layerChoice(),
      ...(atlas.models.length > 1 ? [this.modelChoice()] : []),
    );
    this.examples.replaceChildren(
      ...atlas.examples.map(({ title, own }, number) => {
        const isPressed = isPinned && resting !== null && "example" in resting && resting.example === number;
        const press = () => (isPressed ? this.site.unpin() : this.site.choose(number));
        return el(
          `button${own ? ".is-own" : ""}`,
          { type: "button", "aria-pressed": isPressed, onclick: press },
          own ? `Your query: ${title}` : title,
        );
      }),
    );
    this.state.replaceChildren(
      el("span.site-mode", {}, isPinned ? "Kept" : "Live"),
      this.said,
      isPinned
        ? el("button", { type: "button", onclick: () => this.site.unpin() }, "Let go (Esc)")
        : el("span.site-hint", {}, "Point at a map, drag a finger, or use the arrow keys; a click keeps the point."),
    );
    // The button that was pressed is another element now.
    for (const button of this.element.querySelectorAll("button")) {
      if (document.activeElement === document.body && button.textContent === focused) button.focus();
    }
  }

  atlasChoice() {
    const { about, atlas } = this.site;
    return choice(
      "Atlas",
      about.atlases.map((each) => ({
        text: each.title,
        isPressed: each === atlas,
        press: () => each !== this.site.atlas && this.site.open(each),
      })),
    );
  }

  layerChoice() {
    const { layer } = this.site;
    return choice("Colors of the maps", [
      { text: "Similarity", isPressed: layer === "similarity", press: () => this.site.setLayer("similarity") },
      { text: "Components", isPressed: layer === "colors", press: () => this.site.setLayer("colors") },
    ]);
  }

  modelChoice() {
    const { atlas, shown } = this.site;
    const [, ...others] = atlas.models; // ours answers for the others
    return choice(
      "Models beside UniGeoCLIP",
      others.map(({ id, title }) => ({
        text: title,
        isPressed: shown?.has(id) ?? false,
        press: () => {
          if (!this.site.shown?.delete(id)) this.site.shown?.add(id);
          this.site.showModels();
        },
      })),
    );
  }

  turnTheme() {
    this.theme = (this.theme + 1) % THEMES.length;
    const theme = THEMES[this.theme];
    document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
    this.themeButton.setAttribute("aria-label", `Theme: ${theme}`);
  }

  /** @param {string} words What is asked. */
  say(words) {
    if (this.said.textContent !== words) this.said.textContent = words;
  }

  /** @param {string} words */
  complain(words) {
    this.problem.textContent = words;
    this.problem.hidden = false;
  }
}
