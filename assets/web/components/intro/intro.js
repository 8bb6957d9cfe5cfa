// The introduction in the results column of page Explore: three steps for a first visit, two sentences after "Got it".
// It is no window, so nothing has to be closed before the map can be used. The "?" in the header brings it back.

import { beginRun, cleanUpOf, hear } from "../../bus.js";
import { el, find } from "../../dom.js";
import { TOURS } from "../tour/steps.js";
import { begin } from "../tour/tour.js";

/** @import { Run } from "../../globals" */
/** @import { IntroProps } from "../../protocol" */

const SEEN = "ugc-intro-seen";

/** @typedef {{ asked?: boolean, called: boolean }} State `called`: brought back by the "?". */

/** @type {WeakMap<HTMLElement, State>} */
const states = new WeakMap();

// A browser may forbid storage; then the choice holds until the page is closed.
let seen = false;
try {
  seen = localStorage.getItem(SEEN) !== null;
} catch {
  // forbidden
}

function remember() {
  seen = true;
  try {
    localStorage.setItem(SEEN, "1");
  } catch {
    // forbidden
  }
}

/**
 * Called by Streamlit on every change of data; returns the clean-up.
 *
 * @param {Run<IntroProps>} run
 */
export function render({ parentElement, data }) {
  const root = find(parentElement, ".ugc-intro");
  if (!root || !data) return undefined;
  const isLatest = beginRun(root);
  const state = states.get(root) ?? { called: false };
  states.set(root, state);
  if (state.asked !== data.asked) state.called = false; // an answer came or went: the steps have served
  state.asked = data.asked;
  const draw = () => {
    const steps = state.called || (!seen && !data.asked);
    const shown = steps ? introduction(data, done) : data.asked ? [] : invitation(data);
    root.replaceChildren(...shown, ...(shown.length ? [tours(root)] : []));
  };
  const done = () => {
    remember();
    state.called = false;
    draw();
  };
  draw();
  const stop = hear("intro", () => {
    state.called = !state.called || !root.querySelector("ol");
    draw();
    root.scrollIntoView({ block: "nearest" });
    root.querySelector("button")?.focus({ preventScroll: true });
  });
  return cleanUpOf(root, isLatest, stop);
}

/**
 * @param {IntroProps} data
 * @param {() => void} done
 */
function introduction({ where }, done) {
  /** @type {(name: string, text: string) => HTMLElement} */
  const step = (name, text) => el("li", {}, el("b", {}, name), ` ${text}`);
  return [
    el("h2", {}, "Search the map"),
    el(
      "ol.ugc-intro-steps",
      {},
      step(
        "Click the map.",
        `The colors then show ${where} it is similar to that point, and the closest places are listed here.`,
      ),
      step("Add words or an image.", "“+ more like” and “− less like” add them to your query."),
      step("Compare models.", "The page Compare shows the same map through other models."),
    ),
    el("button.ugc-intro-done", { type: "button", onclick: done }, "Got it"),
  ];
}

/** @param {HTMLElement} root */
function tours(root) {
  const start = TOURS.map((tour) => el("button", { type: "button", onclick: () => begin(tour, root) }, tour.title));
  return el(
    "div.ugc-intro-tours",
    { role: "group", "aria-label": "Guided tours" },
    el("span", {}, "Guided tours:"),
    ...start,
  );
}

/** @param {IntroProps} data */
function invitation({ where }) {
  const text =
    "Click a point, type a few words or upload an image. " +
    `The map then shows ${where} it is similar, and the closest places are listed here.`;
  return [el("h2", {}, "Search the map"), el("p", {}, text)];
}
