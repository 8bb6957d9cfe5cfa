// What belongs to the points of a Plotly scatter that Plotly cannot draw: a picture or a text under the pointer, and the
// place that is open or pointed at, on top of the chart. What goes back is the trigger "open", of a click.

import { beginRun, cleanUpOf, hear, nonce, tell } from "../../bus.js";
import { el, find } from "../../dom.js";

/** @import { Chart, PlotlyEvent } from "./chart.js" */
/** @import { Run } from "../../globals" */
/** @import { PointOpen, PointsProps } from "../../protocol" */

import { marksOf } from "./chart.js";

const GAP_PX = 16;

/**
 * @typedef {object} Scene
 * @property {PointsProps} data
 * @property {HTMLElement} card What is shown under the pointer.
 * @property {number} over The place that is pointed at, or -1.
 * @property {Chart | null} chart That is listened to.
 * @property {(placeId: string) => void} open
 */

/** @type {WeakMap<HTMLElement, Scene>} */
const scenes = new WeakMap();

/**
 * Called by Streamlit on every run; returns the clean-up.
 *
 * @param {Run<PointsProps, { open: PointOpen }>} run
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-points");
  if (!root || !data) return undefined;
  const isLatest = beginRun(root);
  let scene = scenes.get(root);
  if (!scene) {
    const card = el("div.ugc-points-card", { hidden: "", "aria-hidden": "true" });
    root.replaceChildren(card);
    scene = { data, card, over: -1, chart: null, open: () => {} };
    scenes.set(root, scene);
  }
  const current = scene;
  current.data = data;
  current.open = (placeId) => setTriggerValue("open", { place_id: placeId, nonce: nonce() });
  const attach = () => listen(current);
  const frame = document.querySelector(`.st-key-${CSS.escape(data.chart)}`);
  const observer = new MutationObserver(attach); // Streamlit draws the chart later, and another one for other places
  if (frame) observer.observe(frame, { childList: true, subtree: true });
  attach();
  if (current.chart) draw(current);
  const stopHearing = hear("reveal", ({ id }) => {
    if (current.data.items.some((item) => item.place_id === id)) current.open(id);
  });
  return cleanUpOf(root, isLatest, () => {
    observer.disconnect();
    stopHearing();
    hide(current);
  });
}

/**
 * Listen to the chart that is on the page, once.
 *
 * @param {Scene} scene
 */
function listen(scene) {
  const selector = `.st-key-${CSS.escape(scene.data.chart)} .js-plotly-plot`;
  const chart = /** @type {Chart | null} */ (document.querySelector(selector));
  if (!chart?.on || !chart._fullLayout || chart === scene.chart) return;
  scene.chart = chart;
  chart.on("plotly_hover", (event) => show(scene, event));
  chart.on("plotly_unhover", () => hide(scene));
  chart.on("plotly_click", (event) => {
    const item = scene.data.items[numberOf(event)];
    if (item) scene.open(item.place_id);
  });
  for (const kind of ["plotly_afterplot", "plotly_relayouting"]) chart.on(kind, () => draw(scene));
  draw(scene);
}

/** @param {PlotlyEvent} event */
const numberOf = (event) => event.points?.[0]?.customdata ?? -1;

/**
 * @param {Scene} scene
 * @param {PlotlyEvent} event
 */
function show(scene, event) {
  const { card, data } = scene;
  const item = data.items[numberOf(event)];
  if (!item) return;
  mark(scene, numberOf(event) % data.places);
  const picture = item.picture ? el("img", { src: item.picture, alt: "", width: 224, height: 168 }) : null;
  card.replaceChildren(
    el("b", {}, item.kind),
    ...(picture ? [picture] : []),
    ...(item.text ? [el("p", {}, item.text)] : []),
    el("span", {}, item.name),
  );
  card.hidden = false;
  const { clientX: x, clientY: y } = event.event;
  const { width, height } = card.getBoundingClientRect();
  const left = x + GAP_PX + width > innerWidth ? x - GAP_PX - width : x + GAP_PX;
  card.style.left = `${Math.max(4, left)}px`;
  card.style.top = `${Math.max(4, Math.min(y - height / 2, innerHeight - height - 4))}px`;
}

/** @param {Scene} scene */
function hide(scene) {
  scene.card.hidden = true;
  mark(scene, -1);
}

/**
 * Point at a place, on the chart and on the map.
 *
 * @param {Scene} scene
 * @param {number} place
 */
function mark(scene, place) {
  if (place === scene.over) return;
  const before = scene.data.items[scene.over];
  if (before) tell("hover", { id: before.place_id, on: false });
  scene.over = place;
  const item = scene.data.items[place];
  if (item) tell("hover", { id: item.place_id, on: true });
  draw(scene);
}

/**
 * Draw the places that are open or pointed at over the chart.
 *
 * @param {Scene} scene
 */
function draw({ chart, card, data, over }) {
  if (!chart?.isConnected) return;
  const places = [...new Set([data.opened, over])].filter((place) => place >= 0 && place < data.places);
  const marks = marksOf(chart, places, data.opened);
  marks.style.color = getComputedStyle(card).color; // the chart does not know the colors of the theme
  const old = chart.querySelector(".ugc-points-marks");
  if (old) old.replaceWith(marks);
  else chart.append(marks);
}
