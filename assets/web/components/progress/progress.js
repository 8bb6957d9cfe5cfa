// Asks the server from time to time how far something is, shows that, and has the page run again when there is more to
// see.

import { nonce } from "../../bus.js";
import { el, find } from "../../dom.js";
import { TimeLeft } from "./time-left.js";

/** @import { Run } from "../../globals" */
/** @import { Progress, ProgressProps } from "../../protocol" */

/** @typedef {Run<ProgressProps, { update: string }> & { data: ProgressProps }} Followed */
/**
 * @typedef {object} State
 * @property {Followed} run The latest one.
 * @property {ReturnType<typeof setTimeout>} [timer] Of the next question.
 * @property {number} [missed] How often the element was not on the page when the server was to be asked.
 * @property {TimeLeft} [timeLeft]
 * @property {ReturnType<typeof build>} [parts] What is drawn.
 */

const EVERY_MS = 500;
const AGAIN_MS = 4000; // the page has been told, and will run again; if that was lost, it is told again
const PATIENCE_MS = 10_000; // for an answer; then the server is asked again
const MOST_MISSED = 5; // questions while the element is not on the page; then it is gone

/** @type {WeakMap<HTMLElement, State>} */
const states = new WeakMap();

/**
 * Called by Streamlit on every change of data. There is no clean-up, which Streamlit also calls where no further run
 * follows; an element that stays away from the page stops asking.
 *
 * @param {Run<ProgressProps, { update: string }>} run
 */
export function render(run) {
  const root = find(run.parentElement, ".ugc-progress");
  const { data } = run;
  if (!root || !data) return;
  const state = states.get(root) ?? { run: { ...run, data } };
  state.run = { ...run, data };
  states.set(root, state);
  take(root, state, data.progress);
}

/**
 * @param {HTMLElement} root
 * @param {State} state
 * @param {Progress | null} progress Null where the server knows of none.
 */
function take(root, state, progress) {
  const { data, setTriggerValue } = state.run;
  const isNew = progress?.version !== data.seen;
  // Told again with the same value, it might not count.
  if (isNew) setTriggerValue("update", nonce());
  else draw(root, state, progress);
  later(root, state, isNew ? AGAIN_MS : EVERY_MS);
}

/**
 * @param {HTMLElement} root
 * @param {State} state
 * @param {number} milliseconds
 */
function later(root, state, milliseconds) {
  clearTimeout(state.timer);
  state.timer = setTimeout(() => ask(root, state), milliseconds);
}

/**
 * What the server says, or null if it cannot be reached or breaks off.
 *
 * @param {string} url
 * @returns {Promise<{ progress: Progress | null } | null>}
 */
export async function answered(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return { progress: response.ok ? await response.json() : null };
  } catch {
    return null;
  }
}

/**
 * @param {HTMLElement} root
 * @param {State} state
 */
async function ask(root, state) {
  if (!root.isConnected) {
    // Streamlit may take an element away and put it back without a run of the component.
    state.missed = (state.missed ?? 0) + 1;
    if (state.missed < MOST_MISSED) later(root, state, AGAIN_MS);
    return;
  }
  state.missed = 0;
  const { run } = state;
  const answer = await answered(run.data.url);
  if (state.run !== run) return; // a later run has a timer of its own
  if (answer) take(root, state, answer.progress);
  else later(root, state, AGAIN_MS); // the server cannot be reached; Streamlit says so
}

/**
 * @param {HTMLElement} root
 * @param {State} state
 * @param {Progress} progress
 */
function draw(root, state, { words, share }) {
  if (!words) {
    root.replaceChildren();
    state.parts = undefined;
    return;
  }
  const now = performance.now();
  state.timeLeft ??= new TimeLeft(now, share);
  const percent = Math.round(100 * share);
  const left = state.run.data.time_left ? state.timeLeft.at(now, share) : "";
  const { said, bar, filled } = (state.parts ??= build(root));
  said.textContent = `${words} … ${percent} %${left}`;
  bar.setAttribute("aria-label", words);
  bar.setAttribute("aria-valuenow", String(percent));
  filled.style.width = `${percent}%`;
}

/** @param {HTMLElement} root */
function build(root) {
  const said = el("span.ugc-progress-words");
  const filled = el("i");
  const bar = el("div.ugc-progress-bar", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, filled);
  root.replaceChildren(said, bar);
  return { said, bar, filled };
}
