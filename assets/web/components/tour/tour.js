// A guided tour over the real page: a card that points at a control, one after the other. It is no modal window: the page
// can be used beside it, and Escape ends it.

import { painted } from "../../bus.js";
import { el } from "../../dom.js";
import { ask, where } from "./driver.js";
import { askedAt, placeOf } from "./steps.js";

/** @import { Asked, Tour as Steps } from "./steps.js" */

const FOLLOW_MS = 250; // the page may move what is pointed at
const NARROW_PX = 700;
const LATE = "The answer takes longer than usual; it will appear here. ";
const THEME = ["background-color", "secondary-background-color", "text-color", "primary-color", "border-color", "font"];

/** @type {Tour | null} */
let running = null;

/**
 * Begin a tour; one that runs ends.
 *
 * @param {Steps} tour
 * @param {HTMLElement} root Of the theme's colors.
 */
export function begin(tour, root) {
  running?.leave();
  running = new Tour(tour, root);
  running.go(0);
}

class Tour {
  /**
   * @param {Steps} tour
   * @param {HTMLElement} root
   */
  constructor(tour, root) {
    this.tour = tour;
    this.at = 0;
    /** @type {Asked | null} */
    this.asked = null;
    this.from = document.activeElement;
    this.ring = el("div.ugc-tour-ring", { hidden: "" });
    this.heading = el("h2", { id: "ugc-tour-title", tabindex: "-1" });
    this.text = el("p", { id: "ugc-tour-text", "aria-live": "polite" });
    this.count = el("span.ugc-tour-count");
    this.back = el("button", { type: "button", onclick: () => this.go(this.at - 1) }, "Back");
    this.next = el("button.is-primary", { type: "button", onclick: () => this.forward() });
    const leave = el(
      "button.ugc-tour-leave",
      { type: "button", "aria-label": "Leave the tour", onclick: () => this.leave() },
      "×",
    );
    const name = el("p.ugc-tour-name", {}, tour.title);
    const foot = el("div.ugc-tour-foot", {}, this.count, this.back, this.next);
    const about = { role: "dialog", "aria-labelledby": "ugc-tour-title", "aria-describedby": "ugc-tour-text" };
    this.card = el("div.ugc-tour", about, leave, name, this.heading, this.text, foot);
    this.element = el("div.ugc-tour-layer", {}, this.ring, this.card);
    const theme = getComputedStyle(root);
    for (const key of THEME) this.element.style.setProperty(`--st-${key}`, theme.getPropertyValue(`--st-${key}`));
    document.body.append(this.element);
    this.onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.leave();
    };
    document.addEventListener("keydown", this.onKey);
    this.timer = setInterval(() => this.follow(), FOLLOW_MS);
  }

  forward() {
    if (this.at + 1 < this.tour.steps.length) this.go(this.at + 1);
    else this.leave();
  }

  /** @param {number} at */
  async go(at) {
    this.at = at;
    const { steps } = this.tour;
    const step = steps[at];
    const asked = askedAt(steps, at);
    const isLast = at + 1 === steps.length;
    this.count.textContent = `${at + 1} of ${steps.length}`;
    this.back.hidden = at === 0;
    this.next.textContent = isLast ? "Done" : "Next";
    this.heading.textContent = step.title;
    let late = "";
    if (asked && asked !== this.asked) {
      this.wait(true);
      this.asked = asked;
      late = (await ask(asked)) ? "" : LATE;
      await painted();
      if (running !== this) return;
      this.wait(false);
    }
    this.text.textContent = late + step.text(where());
    this.bring();
    this.follow();
    this.heading.focus({ preventScroll: true });
  }

  /** @param {boolean} isWaiting For an answer; a step is not left before. */
  wait(isWaiting) {
    this.card.setAttribute("aria-busy", String(isWaiting));
    if (isWaiting) this.text.textContent = "Asking …";
    this.next.disabled = isWaiting;
    this.back.disabled = isWaiting;
  }

  target() {
    const { at } = this.tour.steps[this.at];
    const found = at ? [...document.querySelectorAll(at)] : [];
    return found.find((each) => each.getBoundingClientRect().width > 0 && each.getBoundingClientRect().height > 0);
  }

  /** Scroll what is pointed at into sight; on a telephone above the card. */
  bring() {
    const target = this.target();
    if (!target) return;
    const isNarrow = innerWidth < NARROW_PX;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    const isTall = target.getBoundingClientRect().height > innerHeight / 2;
    target.scrollIntoView({ block: isNarrow || isTall ? "start" : "nearest", behavior });
  }

  /** Keep ring and card where the target is. */
  follow() {
    if (document.documentElement.classList.contains("is-playing")) {
      this.leave(); // poster mode hides what is pointed at
      return;
    }
    const box = this.target()?.getBoundingClientRect();
    this.ring.hidden = !box;
    if (box) {
      Object.assign(this.ring.style, {
        left: `${box.left}px`,
        top: `${box.top}px`,
        width: `${box.width}px`,
        height: `${box.height}px`,
      });
    }
    const { style } = this.card;
    if (innerWidth < NARROW_PX) {
      Object.assign(style, { left: "", top: "" }); // the style sheet puts it at the bottom
      return;
    }
    const size = { width: this.card.offsetWidth, height: this.card.offsetHeight };
    const window = { width: innerWidth, height: innerHeight };
    const corner = { left: innerWidth, top: innerHeight, right: innerWidth, bottom: innerHeight };
    const { left, top } = placeOf(box ?? corner, size, window);
    Object.assign(style, { left: `${left}px`, top: `${top}px` });
  }

  leave() {
    clearInterval(this.timer);
    document.removeEventListener("keydown", this.onKey);
    this.element.remove();
    if (running === this) running = null;
    const { from } = this;
    if (from instanceof HTMLElement && from.isConnected && from !== document.body) from.focus({ preventScroll: true });
    else document.querySelector("canvas, .ugc-pane-canvas")?.closest(".ugc-map")?.querySelector("button")?.focus();
  }
}
