// View and display of the map in the page's address: v=lat,lon,zoom, b=base map, o=opacity in per cent, t=similarity from
// which on cells are shown; each only where a person changed it. The browser alone knows them, so it writes them itself, in place, which asks nothing of the
// server; Python writes the rest of the address and may bring back old values, which are then set right again.

/** @typedef {{ v?: string, b?: string, o?: string, t?: string }} Texts The parts of the address that are the map's, as written. */
/** @typedef {{ center: { lat: number, lng: number }, zoom: number }} View */

/** @type {("v" | "b" | "o" | "t")[]} */
const KEYS = ["v", "b", "o", "t"];
const PAUSE_MS = 250;

let isFirst = true;

/**
 * What the address says when the page is opened; nothing for later maps, it is not theirs.
 *
 * @returns {Texts}
 */
export function opened() {
  const texts = isFirst ? readTexts(location.search) : {};
  isFirst = false;
  return texts;
}

/**
 * The map's parts of a query string.
 *
 * @param {string} search
 * @returns {Texts}
 */
export function readTexts(search) {
  const asked = new URLSearchParams(search);
  return Object.fromEntries(KEYS.filter((key) => asked.has(key)).map((key) => [key, asked.get(key)]));
}

/**
 * A query string with `texts` as the map's parts; the others stay as they are, letter by letter.
 *
 * @param {string} search
 * @param {Texts} texts
 */
export function writeTexts(search, texts) {
  const isOther = (/** @type {string} */ part) => part && !KEYS.some((key) => key === part.split("=")[0]);
  const ours = KEYS.filter((key) => key in texts).map((key) => `${key}=${encodeURI(texts[key] ?? "")}`);
  const parts = [...search.slice(1).split("&").filter(isOther), ...ours];
  return parts.length ? `?${parts.join("&")}` : "";
}

/**
 * A view out of "lat,lon,zoom", or null.
 *
 * @param {string} [text]
 * @returns {View | null}
 */
export function readView(text) {
  const [lat, lng, zoom, ...rest] = (text ?? "").split(",").map((part) => (part.trim() ? Number(part) : NaN));
  const isView = !rest.length && Math.abs(lat) <= 90 && Math.abs(lng) <= 540 && zoom >= 0 && zoom <= 24;
  return isView ? { center: { lat, lng }, zoom } : null;
}

/**
 * A view as it stands in the address: a meter is enough.
 *
 * @param {{ lat: number, lng: number }} center
 * @param {number} zoom
 */
export function writeView(center, zoom) {
  return [center.lat.toFixed(5), center.lng.toFixed(5), zoom.toFixed(2)].map(Number).join(",");
}

/**
 * Opacity 0 to 1 out of per cent, or null.
 *
 * @param {string} [text]
 */
export function readOpacity(text) {
  const percent = /^\d{1,3}$/.test(text ?? "") ? Number(text) : NaN;
  return percent <= 100 ? percent / 100 : null;
}

/**
 * A threshold of similarity, or null.
 *
 * @param {string} [text]
 */
export function readThreshold(text) {
  return /^-?[01](\.\d{1,4})?$/.test(text ?? "") ? Number(text) : null;
}

/** Keeps the address as `texts` say while its map is on the page. */
export class Address {
  /** @param {Texts} texts */
  constructor(texts) {
    this.texts = texts;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    // Where browsers tell of it: a new query is a new address, written by Python, which does not know of our part.
    this.onEntry = () => this.schedule();
    window.navigation?.addEventListener("currententrychange", this.onEntry);
  }

  /**
   * Change one part; null takes it out.
   *
   * @param {keyof Texts} key
   * @param {string | null} text
   */
  set(key, text) {
    if (text === null) delete this.texts[key];
    else this.texts[key] = text;
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), PAUSE_MS);
  }

  write() {
    clearTimeout(this.timer);
    const search = writeTexts(location.search, this.texts);
    if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
  }

  stop() {
    clearTimeout(this.timer);
    window.navigation?.removeEventListener("currententrychange", this.onEntry);
  }
}
