// What poster mode sees of the page: the map and the results that are shown now, and stills of them.

/**
 * Elements of the page itself, without the stills.
 *
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
const onPage = (selector) => [...document.querySelectorAll(`${selector}:not(.ugc-poster *)`)].filter(isHtml);

/**
 * @param {Element} element
 * @returns {element is HTMLElement}
 */
const isHtml = (element) => element instanceof HTMLElement;

export const liveMap = () => onPage(".ugc-map").at(0);
const liveResults = () => onPage(".st-key-results").at(0);

/** Whether the map has its tiles and the results their pictures. */
export function isDressed() {
  const hasTiles = !liveMap()?.querySelector(".leaflet-tile:not(.leaflet-tile-loaded)");
  const hasCards = !liveResults() || onPage(".ugc-card").length > 0;
  const images = /** @type {HTMLImageElement[]} */ (onPage(".ugc-card img[src]"));
  return hasTiles && hasCards && images.every((image) => image.complete);
}

/**
 * Addresses of what is shown on the map, as one text; null while there is nothing, or not yet `all` of it.
 *
 * @param {boolean} all
 */
export function shownPicture(all) {
  const pictures = onPage(".ugc-map[data-ready] .ugc-pane").map(pictureOf);
  return pictures.length && (all ? pictures.every(Boolean) : pictures.some(Boolean)) ? pictures.join() : null;
}

/** @param {HTMLElement} pane */
function pictureOf(pane) {
  /** @type {HTMLImageElement[]} */
  const shown = [...pane.querySelectorAll(/** @type {"img"} */ (".ugc-heat[data-shown]"))];
  return shown.at(-1)?.src;
}

/**
 * Copies of the map and the results that stay as and where they are, whatever becomes of the page; with their style
 * sheets, which leave the page with what they are for.
 */
export function stills() {
  const sheets = onPage('link[rel=stylesheet][href^="/web/"]').map((sheet) => sheet.cloneNode());
  return [...sheets, ...[liveMap(), liveResults()].filter((element) => element !== undefined).map(still)];
}

/** @param {HTMLElement} element */
function still(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const copy = /** @type {HTMLElement} */ (element.cloneNode(true));
  const place = { inset: "auto", left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
  Object.assign(copy.style, place);
  copy.inert = true;
  return copy;
}
