// Result cards: one strip per modality. Pointing at a card lights up its marker; "Show on map" moves the map and "Look
// around" opens a window at a street view, both without asking the page. What goes back is "use": a card as
// {place_id, modality, name, nonce}, a street view as {pose, modality, name, nonce}.

import { beginRun, hear, painted, tell } from "../../bus.js";
import { el } from "../map/controls.js";
import { Viewer } from "../street/viewer.js";

let nonce = 0;

/** Called by Streamlit on every change of data or theme; returns the clean-up. */
export function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-cards");
  if (!root || !data) return undefined;
  const send = (value) => setTriggerValue("use", { ...value, nonce: `${Date.now()}-${++nonce}` });
  const use = ({ place_id, modality, name }) => send({ place_id, modality, name });
  const dialog = parentElement.querySelector(".ugc-viewer");
  dialog.ugcViewer ??= new Viewer(dialog);
  dialog.ugcViewer.use = (pose, name) => send({ pose, modality: "street", name });
  const look = (card) => dialog.ugcViewer.open(card);
  const isLatest = beginRun(root);
  painted().then(() => root.isConnected && isLatest() && draw(root, data, { use, look }));
  root.ugcStop ??= hear("reveal", ({ id }) => reveal(root, id));
  return () => {
    if (!isLatest()) return;
    if (dialog.open) dialog.close();
    root.ugcStop();
    root.ugcStop = undefined;
  };
}

// A strip that is as it was stays, with its pictures and as far as it is scrolled.
function draw(root, data, acts) {
  const keys = data.groups.map((group) => JSON.stringify(group));
  const frame = JSON.stringify([data.outlooks, keys.length]);
  const before = root.ugcFrame === frame ? root.ugcKeys : null;
  root.ugcFrame = frame;
  root.ugcKeys = keys;
  if (!before) {
    root.replaceChildren(...outlooks(data.outlooks ?? [], acts.look), ...data.groups.map((group) => strip(group, acts)));
    return;
  }
  root.querySelectorAll(".ugc-strip").forEach((section, i) => {
    if (before[i] !== keys[i]) section.replaceWith(strip(data.groups[i], acts));
  });
}

// "Look around at your point, the best match": the street nearest to them.
function outlooks(spots, look) {
  if (!spots.length) return [];
  const button = (spot) =>
    el("button.ugc-card-button", { type: "button", "aria-label": `Look around at ${spot.label}`, onclick: () => look(spot) }, spot.label);
  return [el("p.ugc-outlooks", {}, el("span", {}, "Look around at"), ...spots.map(button))];
}

function strip(group, acts) {
  return el(
    "section.ugc-strip",
    { "aria-label": group.title },
    el("h3.ugc-strip-title", {}, group.title, el("span.ugc-strip-note", {}, group.note)),
    el("ol.ugc-row", { tabindex: 0, "aria-label": `${group.title}: closest first` }, ...group.cards.map((card) => cardFor(card, acts))),
  );
}

function cardFor(card, { use, look }) {
  const target = { id: card.id, lat: card.lat, lng: card.lng };
  const light = (on) => () => tell("hover", { id: card.id, on });
  const button = (label, meaning, act) =>
    el("button.ugc-card-button", { type: "button", title: meaning, "aria-label": `${meaning}: ${card.name}`, onclick: act }, label);
  return el(
    `li.ugc-card${card.pose ? ".is-street" : card.picture ? "" : ".is-text"}`,
    { "data-card": card.id, onmouseenter: light(true), onmouseleave: light(false), onfocusin: light(true), onfocusout: light(false) },
    card.kind ? el("div.ugc-card-kind", {}, card.kind) : null,
    card.picture ? picture(card, look) : sentences(card),
    card.heights ? heightScale(card.heights) : null,
    el("div.ugc-card-name", { title: card.name }, card.name),
    el(
      "div.ugc-card-figures",
      {},
      el("span", { title: "Cosine similarity with the query, at most 1" }, card.similarity),
      card.distance ? el("span", { title: "From the point of the query" }, card.distance) : null,
    ),
    el(
      "div.ugc-card-actions",
      {},
      card.pose ? button("Look around", "Look around", () => look(card)) : null,
      button("On map", "Show on map", () => tell("show", target)),
      button("As query", "Use as query", () => use(card)),
    ),
  );
}

function picture(card, look) {
  const size = card.pose ? { width: 448, height: 336 } : { width: 224, height: 224 };
  const image = el("img", { alt: card.alt, decoding: "async", ...size });
  whenSeen(image, () => (image.src = card.picture));
  image.addEventListener("error", () => image.replaceWith(el("div.ugc-card-missing", {}, "No picture here")));
  // The mouse may as well click the picture; the keyboard has the button.
  return el("div.ugc-card-picture", card.pose ? { onclick: () => look(card) } : {}, image);
}

/** Lowest and highest metre of a surface card, with the relief's colours between them; they come after the card. */
function heightScale(address) {
  const line = el("div.ugc-card-heights", { title: "Heights in this window" }, "\u00a0");
  whenSeen(line, async () => {
    const answer = await fetch(address).catch(() => null);
    const scale = answer?.ok ? await answer.json() : null;
    if (!scale) return; // a card without its scale is still a card
    const style = `background:linear-gradient(90deg, ${scale.colours.join(", ")})`;
    const bar = el("span.ugc-card-heights-bar", { style, "aria-hidden": "true" });
    line.replaceChildren(el("span", {}, scale.low), bar, el("span", {}, scale.high));
  });
  return line;
}

// Most of a strip is out of sight, and each picture takes the server a moment: it is asked for when it is about to be seen.
const acts = new WeakMap();
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      sight.unobserve(target);
      acts.get(target)();
    }
  },
  { rootMargin: "150px", scrollMargin: "150px" },
);

function whenSeen(element, act) {
  acts.set(element, act);
  sight.observe(element);
}

function sentences(card) {
  return el("p.ugc-card-text", { title: card.text }, el("span", {}, card.text));
}

function reveal(root, id) {
  const card = root.querySelector(`[data-card="${CSS.escape(id)}"]`);
  if (!card) return;
  card.scrollIntoView({ block: "nearest", inline: "center", behavior: "smooth" });
  card.classList.add("is-lit");
  setTimeout(() => card.classList.remove("is-lit"), 2400);
}
