// Dragging a rectangle on a pane: while it is on, dragging does not move the map.

/** @import { Pane } from "./pane.js" */

export class Drawing {
  /**
   * @param {Pane} pane
   * @param {(bounds: L.LatLngBounds) => void} onDrawn Called with a rectangle that has an area.
   */
  constructor(pane, onDrawn) {
    this.pane = pane;
    this.onDrawn = onDrawn;
    /** @type {(() => void) | null} ends it; there while it is on, and during the click that ends it */
    this.stop = null;
  }

  get isOn() {
    return this.stop !== null;
  }

  /** Begin; Escape, or to call this again, ends it. */
  toggle() {
    if (this.stop) this.end();
    else this.begin();
  }

  begin() {
    const { L, map } = this.pane;
    /** @type {L.LatLng | null} */
    let from = null;
    /** @type {L.Rectangle | null} */
    let shape = null;
    const press = (/** @type {L.LeafletMouseEvent} */ event) => {
      from = event.latlng;
      shape = L.rectangle(L.latLngBounds(from, from), { className: "ugc-drawn", interactive: false }).addTo(map);
    };
    const move = (/** @type {L.LeafletMouseEvent} */ event) => {
      if (from) shape?.setBounds(L.latLngBounds(from, event.latlng));
    };
    const release = (/** @type {L.LeafletMouseEvent} */ event) => {
      const bounds = from && L.latLngBounds(from, event.latlng);
      this.end();
      if (bounds && hasArea(bounds)) this.onDrawn(bounds);
    };
    const escape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.end();
    };
    map.dragging.disable();
    map.on({ mousedown: press, mousemove: move, mouseup: release });
    document.addEventListener("keydown", escape);
    this.pane.controls.markDrawing(true);
    this.stop = () => {
      map.off({ mousedown: press, mousemove: move, mouseup: release });
      document.removeEventListener("keydown", escape);
      shape?.remove();
      map.dragging.enable();
      this.pane.controls.markDrawing(false);
    };
  }

  end() {
    this.stop?.();
    setTimeout(() => (this.stop = null)); // the click that ends a drag asks nothing
  }
}

/** @param {L.LatLngBounds} bounds */
function hasArea(bounds) {
  return bounds.getNorth() > bounds.getSouth() && bounds.getEast() > bounds.getWest();
}
