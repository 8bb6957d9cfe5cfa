// Result cards: one strip per modality. Pointing at a card lights up its marker; "Show on map" moves the map and "Look
// around" opens a window at a street view, both without asking the page. What goes back are the triggers "use" and "vote".

import { beginRun, cleanUpOf, hear, nonce, painted } from "../../bus.js";
import { el, find } from "../../dom.js";
import { Viewer } from "../street/viewer.js";
import { cardFor } from "./card.js";

/** @import { Run } from "../../globals" */
/** @import { CardGroup, CardsProps, CardUse, CardVote, Outlook } from "../../protocol" */
/** @import { Acts } from "./card.js" */

/** @typedef {{ frame: string, groups: string[] }} Drawn What is drawn, as JSON. */

const LIT_MS = 2400;

/** @type {WeakMap<HTMLElement, Drawn>} */
const drawn = new WeakMap();

/**
 * Called by Streamlit on every change of data or theme; returns the clean-up.
 *
 * @param {Run<CardsProps, { use: CardUse, vote: CardVote }>} run
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-cards");
  const dialog = /** @type {HTMLDialogElement | null} */ (find(parentElement, ".ugc-viewer"));
  if (!root || !dialog || !data) return undefined;
  const send = (/** @type {Omit<CardUse, "nonce">} */ value) => setTriggerValue("use", { ...value, nonce: nonce() });
  const viewer = (dialog.ugcViewer ??= new Viewer(dialog, () => {}));
  viewer.use = (pose, name) => send({ pose, modality: "street", name });
  /** @type {Acts} */
  const acts = {
    use: ({ place_id, modality, name }) => send({ place_id, modality, name }),
    look: (camera) => viewer.open(camera),
    vote: ({ place_id, modality, name, window = 0 }, vote) =>
      setTriggerValue("vote", { place_id, modality, name, window, vote, nonce: nonce() }),
  };
  const isLatest = beginRun(root);
  painted().then(() => {
    if (root.isConnected && isLatest()) draw(root, data, acts);
  });
  const cleanUp = cleanUpOf(
    root,
    isLatest,
    hear("reveal", ({ id }) => reveal(root, id)),
  );
  return () => {
    if (isLatest() && dialog.open) dialog.close();
    cleanUp();
  };
}

/**
 * A strip that is as it was stays, with its pictures and as far as it is scrolled.
 *
 * @param {HTMLElement} root
 * @param {CardsProps} data
 * @param {Acts} acts
 */
function draw(root, { groups, outlooks }, acts) {
  const keys = groups.map((group) => JSON.stringify(group));
  const frame = JSON.stringify([outlooks, keys.length]);
  const before = drawn.get(root);
  drawn.set(root, { frame, groups: keys });
  if (before?.frame !== frame) {
    root.replaceChildren(...outlookRow(outlooks, acts), ...groups.map((group) => strip(group, acts)));
    return;
  }
  const focused = focusedThumb(root);
  root.querySelectorAll(".ugc-strip").forEach((section, i) => {
    if (before.groups[i] !== keys[i]) section.replaceWith(strip(groups[i], acts));
  });
  if (focused) refocus(root, focused);
}

/**
 * Where the keyboard is, if it is on a thumb: that is drawn again with what it has found.
 *
 * @param {HTMLElement} root
 */
function focusedThumb(root) {
  const thumb = /** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement;
  const vote = thumb?.getAttribute("data-vote");
  if (!thumb || !vote || !root.contains(thumb)) return null;
  const label = thumb.closest(".ugc-strip")?.getAttribute("aria-label") ?? "";
  return { vote, label, card: thumb.closest("[data-card]")?.getAttribute("data-card") ?? "" };
}

/**
 * The same thumb again, or the strip that its card was in.
 *
 * @param {HTMLElement} root
 * @param {{ vote: string, label: string, card: string }} focused
 */
function refocus(root, { vote, label, card }) {
  const thumb = find(root, `[data-card="${CSS.escape(card)}"] [data-vote="${vote}"]`);
  const row = find(root, `.ugc-strip[aria-label="${CSS.escape(label)}"] .ugc-row`);
  (thumb ?? row)?.focus({ preventScroll: !thumb });
}

/**
 * "Look around at your point, the best match": the street nearest to them.
 *
 * @param {Outlook[]} spots
 * @param {Acts} acts
 */
function outlookRow(spots, { look }) {
  if (!spots.length) return [];
  const button = (/** @type {Outlook} */ spot) => {
    const attributes = { type: "button", "aria-label": `Look around at ${spot.label}`, onclick: () => look(spot) };
    return el("button.ugc-card-button", attributes, spot.label);
  };
  return [el("p.ugc-outlooks", {}, el("span", {}, "Look around at"), ...spots.map(button))];
}

/**
 * @param {CardGroup} group
 * @param {Acts} acts
 */
function strip({ title, note, cards }, acts) {
  const heading = el("h3.ugc-strip-title", {}, title, el("span.ugc-strip-note", {}, note));
  const attributes = { tabindex: 0, "aria-label": `${title}: closest first` };
  const row = el("ol.ugc-row", attributes, ...cards.map((card) => cardFor(card, acts)));
  return el("section.ugc-strip", { "aria-label": title }, heading, row);
}

/**
 * @param {HTMLElement} root
 * @param {string} id
 */
function reveal(root, id) {
  const card = find(root, `[data-card="${CSS.escape(id)}"]`);
  if (!card) return;
  card.scrollIntoView({ block: "nearest", inline: "center", behavior: "smooth" });
  card.classList.add("is-lit");
  setTimeout(() => card.classList.remove("is-lit"), LIT_MS);
}
