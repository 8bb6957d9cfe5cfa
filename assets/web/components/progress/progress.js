// Asks the server from time to time how far something is, shows that, and has the page drawn anew when there is more of it
// to see. data = {url, seen, time_left, news}, news = {version, words, share}; what goes back is the event "news".

import { el } from "../map/controls.js";

const EVERY_MS = 500;
const AGAIN_MS = 4000; // the page has been told, and will be drawn anew; if that was lost, it is told again
const LEAST_SHARE = 0.04; // done since it began, before it is said how long the rest takes

/**
 * Called by Streamlit on every change of data. There is no clean-up, which Streamlit also calls where no further run follows;
 * who is no longer on the page stops asking.
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-news");
  if (!root || !data) return;
  root.ugcRun = { data, tell: setTriggerValue };
  take(root, data.news);
}

function take(root, news) {
  const { data, tell } = root.ugcRun;
  const isNew = news?.version !== data.seen;
  if (isNew) tell("news", news?.version ?? "");
  else draw(root, news, data.time_left);
  later(root, isNew ? AGAIN_MS : EVERY_MS);
}

function later(root, milliseconds) {
  clearTimeout(root.ugcTimer);
  root.ugcTimer = setTimeout(() => ask(root), milliseconds);
}

async function ask(root) {
  if (!root.isConnected) return;
  const run = root.ugcRun;
  const response = await fetch(run.data.url).catch(() => null);
  const news = response?.ok ? await response.json() : null;
  if (root.ugcRun !== run) return; // drawn anew meanwhile, which has a timer of its own
  if (response) take(root, news);
  else later(root, AGAIN_MS); // the server cannot be reached; Streamlit says so
}

function draw(root, { words, share }, timeLeft) {
  if (!words) {
    root.replaceChildren();
    return;
  }
  root.ugcBegun ??= { at: performance.now(), share };
  const percent = Math.round(100 * share);
  const text = `${words} … ${percent} %${timeLeft ? left(root.ugcBegun, share) : ""}`;
  if (!root.firstChild) {
    const bar = el("div.ugc-news-bar", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
    root.append(el("span.ugc-news-words"), bar);
  }
  const [said, bar] = root.children;
  said.textContent = text;
  bar.setAttribute("aria-label", words);
  bar.setAttribute("aria-valuenow", percent);
  bar.firstChild.style.width = `${percent}%`;
}

// The time is estimated whenever there is progress, and counted down in between.
function left(begun, share) {
  const done = share - begun.share;
  if (done < LEAST_SHARE) return "";
  const now = performance.now();
  if (share !== begun.last) Object.assign(begun, { last: share, until: now + ((now - begun.at) / done) * (1 - share) });
  const seconds = Math.max(1, (begun.until - now) / 1000);
  return `, about ${seconds > 10 ? 5 * Math.round(seconds / 5) : Math.round(seconds)} s left`;
}
