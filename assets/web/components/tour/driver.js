// Asks the queries of a tour by the controls of the page, as a visitor does, and waits for their answers.

/** @import { SyncedMap } from "../map/synced-map.js" */
/** @import { Asked, Where } from "./steps.js" */

const PATIENCE_MS = 20_000;
const LOOK_MS = 60;
/** @type {[number, number]} */
const SAHARA = [24, 12];

/** @returns {SyncedMap | undefined} */
const map = () => /** @type {HTMLElement | null} */ (document.querySelector(".ugc-map"))?.ugcMap;

/** What the tours ask of the atlas that is shown. */
export function asks() {
  const data = map()?.data;
  const [south, west, north, east] = data?.bounds ?? [-90, -180, 90, 180];
  /** @type {[number, number]} */
  const center = data?.whole_earth ? SAHARA : [(south + north) / 2, (west + east) / 2];
  return {
    center,
    words: data?.is_city ? "park by the water" : data?.whole_earth ? "hot desert" : "mountains",
    point: data?.whole_earth ? "a point in the Sahara" : "the point in the middle",
  };
}

/** @returns {Where} */
export const where = () => asks();

/**
 * Ask, and wait for the answer.
 *
 * @param {Asked} asked
 * @returns {Promise<boolean>} Whether it has come in time.
 */
export async function ask(asked) {
  if (asked === "point") return (await join(0)) && click();
  if (asked === "words") return (await join(0)) && type();
  return (await join(0)) && (await type()) && (await join(1)) && (await click()) && join(0);
}

function click() {
  const shown = map();
  if (!shown) return Promise.resolve(false);
  const [lat, lng] = asks().center;
  shown.setAskBy("point");
  return answered(() => shown.ask(shown.panes[0], shown.L.latLng(lat, lng)));
}

function type() {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector(".st-key-words input"));
  const button = /** @type {HTMLElement | null} */ (document.querySelector(".st-key-ask-button button"));
  if (!field || !button) return Promise.resolve(false);
  return answered(async () => {
    field.focus({ preventScroll: true });
    // The form forgets what it has sent: the same words are sent only once.
    fill(field, "");
    fill(field, asks().words);
    field.blur();
    await later();
    button.click();
  });
}

/**
 * As typing does: React listens to the field's own setter.
 *
 * @param {HTMLInputElement} field
 * @param {string} text
 */
function fill(field, text) {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Choose how the next item is added, where that can be chosen.
 *
 * @param {number} choice
 */
async function join(choice) {
  const button = /** @type {HTMLElement | undefined} */ (document.querySelectorAll(".st-key-join button")[choice]);
  if (!button || isChosen(button)) return true;
  button.click();
  return until(() => {
    const now = document.querySelectorAll(".st-key-join button")[choice];
    return Boolean(now && isChosen(now));
  });
}

/** @param {Element} button */
const isChosen = (button) =>
  button.getAttribute("aria-checked") === "true" || /active/i.test(button.getAttribute("kind") ?? "");

/**
 * Do something, and wait until the map has the next answer.
 *
 * @param {() => void | Promise<void>} act
 */
async function answered(act) {
  const before = map()?.data?.nonce;
  await act();
  return until(() => {
    const data = map()?.data;
    return Boolean(data && data.nonce !== before);
  });
}

/** @param {() => boolean} condition */
async function until(condition) {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) return false;
    await later();
  }
  return true;
}

const later = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS));
