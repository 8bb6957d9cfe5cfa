// Markers are small HTML shapes, colored by the style sheet: no icon files, readable on photographs and on paper.

/** @import { Marker } from "../../protocol" */

/** @typedef {Marker["kind"] | "asking" | "camera"} Kind */
/**
 * @typedef {Omit<Partial<Marker>, "kind"> & { kind: Kind, lat: number, lng: number }} Shape
 *   A marker of the answer; "asking" is where a click waits for one, "camera" what the street viewer sees.
 */
/** @typedef {L.Marker & { ugcCard?: string, ugcHeading: number, ugcSpec?: string }} PlacedMarker */

const SIZE_PX = { query: 22, best: 26, match: 14, asking: 34, camera: 24 };
const OFFSETS = { camera: 500, asking: 400, query: 300, best: 200, match: 0 };

/**
 * A Leaflet marker.
 *
 * @param {typeof import("leaflet")} L
 * @param {Shape} shape
 * @returns {PlacedMarker}
 */
export function markerFor(L, { kind, lat, lng, heading, label, card, sign }) {
  const size = SIZE_PX[kind];
  const shape = document.createElement("span");
  shape.className = "ugc-marker-shape";
  if (sign) shape.textContent = sign;
  const isCamera = heading !== undefined && heading !== null;
  const icon = L.divIcon({
    className: `ugc-marker ugc-marker-${kind}`,
    html: (isCamera ? coneFor(heading) : "") + shape.outerHTML,
    iconSize: [size, size],
    iconAnchor: [size / 2, size / 2],
  });
  const marker = L.marker([lat, lng], {
    icon,
    keyboard: false, // cards are the keyboard's way to a marker: forty more tab stops would help nobody
    interactive: Boolean(label),
    bubblingMouseEvents: !card,
    zIndexOffset: OFFSETS[kind],
  });
  if (label) {
    const text = document.createElement("span");
    text.textContent = label;
    marker.bindTooltip(text, { direction: "top", offset: [0, -size / 2], className: "ugc-tooltip" });
  }
  return Object.assign(marker, { ugcCard: card, ugcHeading: heading ?? 0 });
}

/**
 * What a camera sees: a quarter of a circle, as wide as the picture, that fades with distance.
 *
 * @param {number} heading
 */
function coneFor(heading) {
  return `<span class="ugc-marker-cone" style="transform: rotate(${heading}deg)"></span>`;
}

/**
 * The angle that turns from one heading to another the short way round, -180 to 180 degrees: from 350 to 35 is a small
 * turn to the right.
 *
 * @param {number} from
 * @param {number} to
 */
export function turnBetween(from, to) {
  return ((((to - from + 180) % 360) + 360) % 360) - 180;
}

/**
 * Move a camera's marker, and turn its cone.
 *
 * @param {PlacedMarker} marker
 * @param {{ lat: number, lng: number, heading: number }} camera
 */
export function aim(marker, { lat, lng, heading }) {
  marker.setLatLng([lat, lng]);
  marker.ugcHeading += turnBetween(marker.ugcHeading, heading);
  const cone = /** @type {HTMLElement | null | undefined} */ (marker.getElement()?.querySelector(".ugc-marker-cone"));
  if (cone) cone.style.transform = `rotate(${marker.ugcHeading}deg)`;
}
