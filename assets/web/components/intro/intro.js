// The introduction in the results column of page Explore: three steps for a first visit, two sentences after "Got it".
// It is no window, so nothing has to be closed before the map can be used. The "?" in the header brings it back.

import { beginRun, hear } from "../../bus.js";
import { el } from "../map/controls.js";

const SEEN = "ugc-intro-seen";

// A browser may forbid storage; then the choice holds until the page is closed.
let seen = false;
try {
  seen = localStorage.getItem(SEEN) !== null;
} catch {}

function remember() {
  seen = true;
  try {
    localStorage.setItem(SEEN, "1");
  } catch {}
}

/** Called by Streamlit on every change of data; data = {where, asked}. Returns the clean-up. */
export function render({ parentElement, data }) {
  const root = parentElement.querySelector(".ugc-intro");
  if (!root || !data) return undefined;
  const isLatest = beginRun(root);
  if (root.ugcAsked !== data.asked) root.ugcCalled = false; // an answer came or went: the steps have served
  root.ugcAsked = data.asked;
  const draw = () => {
    const steps = root.ugcCalled || (!seen && !data.asked);
    root.replaceChildren(...(steps ? introduction(data, done) : data.asked ? [] : invitation(data)));
  };
  const done = () => {
    remember();
    root.ugcCalled = false;
    draw();
  };
  draw();
  root.ugcStop?.();
  root.ugcStop = hear("intro", () => {
    root.ugcCalled = !root.ugcCalled || !root.querySelector("ol");
    draw();
    root.scrollIntoView({ block: "nearest" });
    root.querySelector("button")?.focus({ preventScroll: true });
  });
  return () => isLatest() && root.ugcStop();
}

function introduction({ where }, done) {
  const step = (name, text) => el("li", {}, el("b", {}, name), ` ${text}`);
  return [
    el("h2", {}, "Ask the map"),
    el(
      "ol.ugc-intro-steps",
      {},
      step("Click the map.", `The colours then show ${where} it is like that point, and the closest places stand here.`),
      step("Add words or a picture.", "“+ more like” and “− less like” join them to what you have asked."),
      step("Compare models.", "The page Compare shows what other models make of the same map."),
    ),
    el("button.ugc-intro-done", { type: "button", onclick: done }, "Got it"),
  ];
}

function invitation({ where }) {
  return [
    el("h2", {}, "Ask the map"),
    el("p", {}, `Click a point, type a few words or drop in a picture. The map then shows ${where} it is like that, and the closest places stand here.`),
  ];
}
