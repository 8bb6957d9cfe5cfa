// The place search of the map: a combobox over the names that the atlas knows, which the server finds as one types.

import { el } from "../../dom.js";

/** @import { FoundName, FoundNames } from "../../protocol" */

const MOST_CHARACTERS = 80;
const PATIENCE_MS = 400;
const NOT_REACHED = "The place search cannot be reached; the map can still be clicked.";

let fields = 0;

export class Find {
  /**
   * @param {string} url Of the search.
   * @param {(place: FoundName) => void} onChosen
   */
  constructor(url, onChosen) {
    this.url = url;
    this.onChosen = onChosen;
    /** @type {FoundName[]} */
    this.names = [];
    this.active = -1;
    /** @type {AbortController | null} */
    this.asking = null;
    /** @type {Promise<void>} until the names of what stands in the field are here */
    this.found = Promise.resolve();
    const id = `ugc-find-${fields++}`;
    this.list = el("ul.ugc-find-list", { id, role: "listbox", "aria-label": "Places", hidden: "" });
    this.status = el("p.ugc-find-status", { role: "status" });
    this.input = el("input.ugc-find-input", {
      type: "text",
      role: "combobox",
      placeholder: "Find a place",
      "aria-label": "Find a place by name or coordinates",
      title: "A name, or latitude and longitude; the map moves there and asks as a click does",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: MOST_CHARACTERS,
      oninput: () => this.search(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.pressed(event),
      onblur: () => this.close(),
      onfocus: () => this.focused(),
    });
    this.element = el("div.ugc-find", {}, this.input, this.list, this.status);
  }

  focused() {
    if (this.input.value) this.search();
    else fetch(`${this.url}&text=`).catch(() => {}); // the server makes its list while the first letters are typed
  }

  search() {
    this.asking?.abort();
    this.asking = new AbortController();
    this.found = this.fetched(this.input.value, this.asking.signal);
  }

  /**
   * @param {string} text
   * @param {AbortSignal} signal
   */
  async fetched(text, signal) {
    if (!text.trim()) {
      this.show({ names: [], problem: "" });
      return;
    }
    // The first search of an atlas waits until the server has its names together.
    const timer = setTimeout(() => !signal.aborted && this.say("Searching …"), PATIENCE_MS);
    try {
      const response = await fetch(`${this.url}&text=${encodeURIComponent(text)}`, { signal });
      const found = response.ok ? await response.json() : { names: [], problem: NOT_REACHED };
      if (!signal.aborted) this.show(found);
    } catch {
      if (!signal.aborted) this.show({ names: [], problem: NOT_REACHED });
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {FoundNames} found */
  show({ names, problem }) {
    this.names = names;
    this.active = -1;
    this.list.replaceChildren(...names.map((place, i) => this.option(place, i)));
    if (problem) this.say(problem);
    else this.say(count(names.length), true);
    this.open(names.length > 0 && document.activeElement === this.input);
  }

  /**
   * @param {string} words
   * @param {boolean} [isHidden] Whether they are for those who do not see the list.
   */
  say(words, isHidden = false) {
    this.status.textContent = words;
    this.status.classList.toggle("is-seen", !isHidden);
  }

  /**
   * @param {FoundName} place
   * @param {number} i
   */
  option(place, i) {
    return el(
      "li",
      {
        id: `${this.list.id}-${i}`,
        role: "option",
        "aria-selected": "false",
        onpointerdown: (/** @type {Event} */ event) => event.preventDefault(), // the field keeps the focus
        onclick: () => this.choose(place),
      },
      el("b", {}, place.name),
      " ",
      el("span", {}, place.detail),
    );
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.mark(-1);
  }

  close() {
    this.asking?.abort();
    this.open(false);
    this.say("", true);
  }

  /** @param {number} i The option that Enter takes; -1 for none. */
  mark(i) {
    this.active = i;
    [...this.list.children].forEach((option, each) => {
      option.setAttribute("aria-selected", String(each === i));
      if (each === i) option.scrollIntoView({ block: "nearest" });
    });
    if (i < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}-${i}`);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    event.stopPropagation(); // keys of the map and of the page are not for who types a name
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      this.open(this.names.length > 0);
      if (this.names.length) this.mark(next(this.active, key === "ArrowDown" ? 1 : -1, this.names.length));
    } else if (key === "Enter") {
      event.preventDefault();
      this.enter();
    } else if (key === "Escape") {
      if (this.list.hidden) this.input.value = "";
      this.close();
    }
  }

  async enter() {
    const chosen = this.names[this.active];
    if (chosen) {
      this.choose(chosen);
      return;
    }
    await this.found; // of what has just been typed
    if (this.names.length) this.choose(this.names[0]);
  }

  /** @param {FoundName} place */
  choose(place) {
    this.input.value = place.name;
    this.close();
    this.names = [];
    this.onChosen(place);
  }
}

/**
 * The option after or before another; beyond the ends it begins again.
 *
 * @param {number} active
 * @param {1 | -1} step
 * @param {number} length
 */
export function next(active, step, length) {
  return active < 0 ? (step > 0 ? 0 : length - 1) : (active + step + length) % length;
}

/** @param {number} number */
const count = (number) => (number === 0 ? "" : number === 1 ? "1 place" : `${number} places`);
