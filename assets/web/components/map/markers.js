// Markers are small HTML shapes, coloured by the style sheet: no icon files, readable on photographs and on paper.

const SIZE_PX = { query: 22, best: 26, match: 14, asking: 34, camera: 24 };

/** A Leaflet marker for {kind: "query" | "best" | "match" | "asking" | "camera", lat, lng, heading?, label?, card?, sign?}. */
export function markerFor(L, { kind, lat, lng, heading, label, card, sign }) {
  const size = SIZE_PX[kind] ?? SIZE_PX.match;
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
    zIndexOffset: { camera: 500, asking: 400, query: 300, best: 200 }[kind] ?? 0,
  });
  marker.ugcCard = card;
  marker.ugcHeading = heading;
  if (label) {
    const text = document.createElement("span");
    text.textContent = label;
    marker.bindTooltip(text, { direction: "top", offset: [0, -size / 2], className: "ugc-tooltip" });
  }
  return marker;
}

// What a camera sees: a quarter of a circle, as wide as the picture, that fades with distance.
function coneFor(heading) {
  return `<span class="ugc-marker-cone" style="transform: rotate(${heading}deg)"></span>`;
}

/** Move a camera's marker, and turn its cone. */
export function aim(marker, { lat, lng, heading }) {
  marker.setLatLng([lat, lng]);
  // The short way round: from 350 to 35 degrees is a small turn to the right.
  const turn = ((heading - marker.ugcHeading + 540) % 360) - 180;
  marker.ugcHeading += turn;
  marker.getElement().querySelector(".ugc-marker-cone").style.transform = `rotate(${marker.ugcHeading}deg)`;
}
