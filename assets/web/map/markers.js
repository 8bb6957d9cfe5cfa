// Markers are small HTML shapes, coloured by the style sheet: no icon files, readable on photographs and on paper.

const SIZE_PX = { query: 22, best: 26, match: 14, asking: 34 };

/** A Leaflet marker for {kind: "query" | "best" | "match" | "asking", lat, lng, label?, card?, sign?}. */
export function markerFor(L, { kind, lat, lng, label, card, sign }) {
  const size = SIZE_PX[kind] ?? SIZE_PX.match;
  const shape = document.createElement("span");
  shape.className = "ugc-marker-shape";
  if (sign) shape.textContent = sign;
  const icon = L.divIcon({
    className: `ugc-marker ugc-marker-${kind}`,
    html: shape.outerHTML,
    iconSize: [size, size],
    iconAnchor: [size / 2, size / 2],
  });
  const marker = L.marker([lat, lng], {
    icon,
    keyboard: false, // cards are the keyboard's way to a marker: forty more tab stops would help nobody
    interactive: Boolean(label),
    bubblingMouseEvents: !card,
    zIndexOffset: { asking: 400, query: 300, best: 200 }[kind] ?? 0,
  });
  marker.ugcCard = card;
  if (label) {
    const text = document.createElement("span");
    text.textContent = label;
    marker.bindTooltip(text, { direction: "top", offset: [0, -size / 2], className: "ugc-tooltip" });
  }
  return marker;
}
