// One result card: a picture or a text, its figures, and what can be done with it.

import { tell } from "../../bus.js";
import { el } from "../../dom.js";

/** @import { Camera, Card, HeightScale } from "../../protocol" */

/**
 * @typedef {object} Acts
 * @property {(card: Card) => void} use Ask by the place of a card.
 * @property {(camera: Camera & { name: string }) => void} look Look around.
 * @property {(card: Card, vote: "up" | "down") => void} vote Ask for more like a card, or for less.
 */

/**
 * @param {Card} card
 * @param {Acts} acts
 */
export function cardFor(card, { use, look, vote }) {
  const camera = cameraOf(card);
  const lookAround = camera && (() => look(camera));
  const light = (/** @type {boolean} */ on) => () => tell("hover", { id: card.id, on });
  const listeners = {
    onmouseenter: light(true),
    onmouseleave: light(false),
    onfocusin: light(true),
    onfocusout: light(false),
  };
  return el(
    `li.ugc-card${camera ? ".is-street" : card.picture ? "" : ".is-text"}`,
    { "data-card": card.id, ...listeners },
    card.kind ? el("div.ugc-card-kind", {}, card.kind) : null,
    card.picture ? picture(card, card.picture, lookAround) : text(card.text ?? ""),
    card.heights ? heightScale(card.heights) : null,
    el("div.ugc-card-name", { title: card.name }, card.name),
    figures(card),
    el(
      "div.ugc-card-actions",
      {},
      lookAround ? button(card, "Look around", "Look around", lookAround) : null,
      button(card, "On map", "Show on map", () => tell("show", { id: card.id, lat: card.lat, lng: card.lng })),
      button(card, "As query", "Use as query", () => use(card)),
      card.vote === undefined ? null : thumbs(card, vote),
    ),
  );
}

/**
 * @param {Card} card
 * @returns {(Camera & { name: string }) | null}
 */
function cameraOf({ pose, views, turns = false, origin = "", name }) {
  return pose && views ? { pose, views, turns, origin, name } : null;
}

/**
 * @param {Card} card
 * @param {string} label
 * @param {string} meaning
 * @param {() => void} act
 */
function button(card, label, meaning, act) {
  const attributes = { type: "button", title: meaning, "aria-label": `${meaning}: ${card.name}`, onclick: act };
  return el("button.ugc-card-button", attributes, label);
}

/**
 * @param {Card} card
 * @param {Acts["vote"]} vote
 */
function thumbs(card, vote) {
  const thumb = (/** @type {"up" | "down"} */ way, /** @type {string} */ meaning) => {
    const attributes = {
      type: "button",
      title: `${meaning}: refines the query`,
      "aria-label": `${meaning}: ${card.name}`,
      "aria-pressed": String(card.vote === way),
      "data-vote": way,
      onclick: () => vote(card, way),
    };
    return el(`button.ugc-card-button.ugc-thumb.is-${way}`, attributes, el("span.ugc-thumb-sign"));
  };
  return el("span.ugc-thumbs", {}, thumb("up", "More like this"), thumb("down", "Less like this"));
}

/** @param {Card} card */
function figures({ similarity, distance }) {
  return el(
    "div.ugc-card-figures",
    {},
    el("span", { title: "Cosine similarity with the query, at most 1" }, similarity),
    distance ? el("span", { title: "From the point of the query" }, distance) : null,
  );
}

/** @param {string} sentences */
function text(sentences) {
  return el("p.ugc-card-text", { title: sentences }, el("span", {}, sentences));
}

/**
 * @param {Card} card
 * @param {string} address
 * @param {(() => void) | null} look
 */
function picture({ alt }, address, look) {
  const size = look ? { width: 448, height: 336 } : { width: 224, height: 224 };
  const image = el("img", { alt, decoding: "async", ...size });
  whenSeen(image, () => (image.src = address));
  image.addEventListener("error", () => image.replaceWith(el("div.ugc-card-missing", {}, "No picture here")));
  // The mouse may as well click the picture; the keyboard has the button.
  return el("div.ugc-card-picture", look ? { onclick: look } : {}, image);
}

/**
 * Lowest and highest meter of a surface card, with the relief's colors between them; they come after the card.
 *
 * @param {string} address Of a `HeightScale`.
 */
function heightScale(address) {
  const line = el("div.ugc-card-heights", { title: "Heights in this window" }, "\u00a0");
  whenSeen(line, async () => {
    const answer = await fetch(address).catch(() => null);
    /** @type {HeightScale | null} */
    const scale = answer?.ok ? await answer.json() : null;
    if (!scale) return; // a card without its scale is still a card
    const style = `background:linear-gradient(90deg, ${scale.colors.join(", ")})`;
    const bar = el("span.ugc-card-heights-bar", { style, "aria-hidden": "true" });
    line.replaceChildren(el("span", {}, scale.low), bar, el("span", {}, scale.high));
  });
  return line;
}

// Most of a strip is out of sight, and each picture takes the server a moment: it is asked for when it is about to be
// seen.
/** @type {WeakMap<Element, () => void>} */
const acts = new WeakMap();
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      sight.unobserve(target);
      acts.get(target)?.();
    }
  },
  { rootMargin: "150px", scrollMargin: "150px" },
);

/**
 * Call `act` once, when an element is about to be seen.
 *
 * @param {Element} element
 * @param {() => void} act
 */
function whenSeen(element, act) {
  acts.set(element, act);
  sight.observe(element);
}
