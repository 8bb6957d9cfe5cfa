// View and display of the map in the page's address: v=lat,lon,zoom, b=base map, o=opacity in per cent; each only where
// a person changed it. The browser alone knows them, so it writes them itself, in place, which asks nothing of the
// server; Python writes the rest of the address and may bring back old values, which are then set right again.

const KEYS = ["v", "b", "o"];
const PAUSE_MS = 250;

let isFirst = true;

/** What the address says when the page is opened, {v?, b?, o?} as written; nothing for later maps, it is not theirs. */
export function opened() {
  const asked = new URLSearchParams(isFirst ? location.search : "");
  isFirst = false;
  return Object.fromEntries(KEYS.filter((key) => asked.has(key)).map((key) => [key, asked.get(key)]));
}

/** {center, zoom} out of "lat,lon,zoom", or null. */
export function readView(text) {
  const [lat, lng, zoom, ...rest] = (text ?? "").split(",").map((part) => (part.trim() ? Number(part) : NaN));
  const isView = !rest.length && Math.abs(lat) <= 90 && Math.abs(lng) <= 540 && zoom >= 0 && zoom <= 24;
  return isView ? { center: { lat, lng }, zoom } : null;
}

/** A view as it stands in the address: a metre is enough. */
export function writeView(center, zoom) {
  return [center.lat.toFixed(5), center.lng.toFixed(5), zoom.toFixed(2)].map(Number).join(",");
}

/** Opacity 0 to 1 out of per cent, or null. */
export function readOpacity(text) {
  const percent = /^\d{1,3}$/.test(text ?? "") ? Number(text) : NaN;
  return percent <= 100 ? percent / 100 : null;
}

/** Keeps the address as `texts` say, {v?, b?, o?}, while its map is on the page. */
export class Address {
  constructor(texts) {
    this.texts = texts;
    // Where browsers tell of it: a new query is a new address, written by Python, which does not know of our part.
    this.onEntry = () => this.schedule();
    window.navigation?.addEventListener("currententrychange", this.onEntry);
  }

  /** Change one part; null takes it out. */
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
    // Other parts stay as they are, letter by letter.
    const others = location.search.slice(1).split("&").filter((part) => part && !KEYS.includes(part.split("=")[0]));
    const ours = KEYS.filter((key) => key in this.texts).map((key) => `${key}=${encodeURI(this.texts[key])}`);
    const parts = [...others, ...ours];
    const search = parts.length ? `?${parts.join("&")}` : "";
    if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
  }

  stop() {
    clearTimeout(this.timer);
    window.navigation?.removeEventListener("currententrychange", this.onEntry);
  }
}
