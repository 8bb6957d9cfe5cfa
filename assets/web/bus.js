// What the parts of one page tell each other without a round trip to the server: a card that is pointed at lights up
// its marker, a marker that is clicked brings up its card. Events carry plain ids, so neither part knows the other.
// Also what every component needs for its runs: which one is the latest, nonces, and waiting for the map's picture.

/** @import { Pose } from "./protocol" */

/**
 * The events, each with what it carries.
 *
 * @typedef {object} Events
 * @property {{ lat: number, lng: number, id: string, cover?: DOMRect | null }} show Move the map to a place. `cover` is
 *   the window that hides a part of the map.
 * @property {{ cover?: boolean }} home Show the whole atlas; `cover` leaves no room round a city.
 * @property {{ id: string, on: boolean }} hover A card is pointed at, or no longer.
 * @property {{ id: string }} reveal A marker was clicked: bring up its card.
 * @property {Pose & { cover?: DOMRect } | null} camera Where the street viewer looks; null when it closes.
 * @property {object} address Write now what the map still waits to write into the page's address.
 * @property {object} live Let the heatmaps of all maps follow the pointer, of those to come too.
 * @property {object} intro Show or hide the introduction.
 */

class Message extends Event {
  /** @param {string} kind @param {unknown} detail */
  constructor(kind, detail) {
    super(kind);
    this.detail = detail;
  }
}

const channel = new EventTarget();

/**
 * Tell every listener of `kind` about `detail`.
 *
 * @template {keyof Events} Kind
 * @param {Kind} kind
 * @param {Events[Kind]} detail
 */
export function tell(kind, detail) {
  channel.dispatchEvent(new Message(kind, detail));
}

/**
 * Call `listener(detail)` on every `kind`; returns the function that stops it.
 *
 * @template {keyof Events} Kind
 * @param {Kind} kind
 * @param {(detail: Events[Kind]) => void} listener
 * @returns {() => void}
 */
export function hear(kind, listener) {
  /** @param {Event} event */
  const handler = (event) => listener(/** @type {Events[Kind]} */ (/** @type {Message} */ (event).detail));
  channel.addEventListener(kind, handler);
  return () => channel.removeEventListener(kind, handler);
}

/** @type {WeakMap<object, number>} */
const runs = new WeakMap();

/**
 * Begin a run of the component at `root`; returns whether it still is the latest, to be asked later on. Streamlit's
 * runs are asynchronous, and it also calls the clean-up of one that a later one has overtaken, which may have drawn
 * already.
 *
 * @param {object} root
 * @returns {() => boolean}
 */
export function beginRun(root) {
  const run = (runs.get(root) ?? 0) + 1;
  runs.set(root, run);
  return () => runs.get(root) === run;
}

/** @type {WeakMap<object, () => void>} */
const stops = new WeakMap();

/**
 * The clean-up of a run: it calls `stop`, unless a later run has overtaken this one. What a run before left to be
 * stopped is stopped first.
 *
 * @param {object} root
 * @param {() => boolean} isLatest From `beginRun`.
 * @param {() => void} stop
 * @returns {() => void}
 */
export function cleanUpOf(root, isLatest, stop) {
  stops.get(root)?.();
  stops.set(root, stop);
  return () => {
    if (!isLatest()) return;
    stops.delete(root);
    stop();
  };
}

let count = 0;

/** A text that was never given before: Streamlit takes two equal values of a trigger for one. */
export function nonce() {
  count += 1;
  return `${Date.now()}-${count}`;
}

const PATIENCE_MS = 700;
const MAX_PAINTING_MS = 10_000;
/** @type {Set<Promise<unknown>>} */
const paintings = new Set();

/**
 * The map says until when a new picture is on its way.
 *
 * @param {Promise<unknown>} shown
 */
export function paintsUntil(shown) {
  /** @type {Promise<unknown>} */
  const painting = Promise.race([shown, later(MAX_PAINTING_MS)]).then(() => paintings.delete(painting));
  paintings.add(painting);
}

/** Resolves when all pictures that are on their way now are shown. */
export const allPainted = () => Promise.all(paintings);

/** What is beside the map waits for its pictures: people look at them, and drawing twenty cards would hold them up. */
export async function painted() {
  await later(0); // the map hears of an answer in the same breath
  await Promise.race([allPainted(), later(PATIENCE_MS)]);
}

/** @param {number} milliseconds */
export const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
