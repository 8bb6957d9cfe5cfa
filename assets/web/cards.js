// Result cards: one strip per modality. Pointing at a card lights up its marker; "Show on map" moves the map without
// asking the server; "Use as query" sends {place_id, modality, name, nonce} back.

import { hear, tell } from "./bus.js";
import { el } from "./map/controls.js";

let nonce = 0;

/** Called by Streamlit on every change of data or theme; returns the clean-up. */
export function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-cards");
  if (!root || !data) return undefined;
  const use = (card) =>
    setTriggerValue("use", { place_id: card.place_id, modality: card.modality, name: card.name, nonce: `${Date.now()}-${++nonce}` });
  const key = JSON.stringify(data);
  if (root.ugcKey !== key) {
    root.ugcKey = key;
    root.replaceChildren(...data.groups.map((group) => strip(group, use)));
  }
  root.ugcStop ??= hear("reveal", ({ id }) => reveal(root, id));
  return () => {
    root.ugcStop?.();
    root.ugcStop = undefined;
  };
}

function strip(group, use) {
  return el(
    "section.ugc-strip",
    { "aria-label": group.title },
    el("h3.ugc-strip-title", {}, group.title, el("span.ugc-strip-note", {}, group.note)),
    el("ol.ugc-row", { tabindex: 0, "aria-label": `${group.title}: closest first` }, ...group.cards.map((card) => cardFor(card, use))),
  );
}

function cardFor(card, use) {
  const target = { id: card.id, lat: card.lat, lng: card.lng };
  const light = (on) => () => tell("hover", { id: card.id, on });
  const button = (label, meaning, act) =>
    el("button.ugc-card-button", { type: "button", title: meaning, "aria-label": `${meaning}: ${card.name}`, onclick: act }, label);
  return el(
    `li.ugc-card${card.picture ? "" : ".is-text"}`,
    { "data-card": card.id, onmouseenter: light(true), onmouseleave: light(false), onfocusin: light(true), onfocusout: light(false) },
    card.picture ? picture(card) : sentences(card),
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
      button("On map", "Show on map", () => tell("show", target)),
      button("As query", "Use as query", () => use(card)),
    ),
  );
}

function picture(card) {
  const image = el("img", { src: card.picture, alt: card.alt, loading: "lazy", decoding: "async", width: 224, height: 224 });
  image.addEventListener("error", () => image.replaceWith(el("div.ugc-card-missing", {}, "No picture here")));
  return el("div.ugc-card-picture", {}, image);
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
