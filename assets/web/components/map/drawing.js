// Dragging a rectangle on a pane, with a mouse, a pen or a finger: while it is on, dragging does not move the map.

/** @import { Pane } from "./pane.js" */

const LEAST_PX = 4; // on both sides: a finger that taps moves a little

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
    const { L, canvas, map } = this.pane;
    /** @type {L.Point | null} */
    let from = null;
    /** @type {L.Rectangle | null} */
    let shape = null;
    const bounds = (/** @type {L.Point} */ a, /** @type {L.Point} */ b) =>
      L.latLngBounds(map.containerPointToLatLng(a), map.containerPointToLatLng(b));
    const drop = () => {
      shape?.remove();
      from = shape = null;
    };
    const press = (/** @type {PointerEvent} */ event) => {
      drop();
      if (!event.isPrimary || event.button) return; // a second finger zooms
      canvas.setPointerCapture(event.pointerId); // also where it leaves the map
      from = map.mouseEventToContainerPoint(event);
      shape = L.rectangle(bounds(from, from), { className: "ugc-drawn", interactive: false }).addTo(map);
    };
    const move = (/** @type {PointerEvent} */ event) => {
      if (from && event.isPrimary) shape?.setBounds(bounds(from, map.mouseEventToContainerPoint(event)));
    };
    const release = (/** @type {PointerEvent} */ event) => {
      const to = map.mouseEventToContainerPoint(event);
      const isDrawn = from && Math.min(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) >= LEAST_PX;
      const drawn = from && isDrawn ? bounds(from, to) : null;
      drop();
      if (!drawn) return; // a tap: the rectangle is still to be drawn
      this.end();
      this.onDrawn(drawn);
    };
    const escape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.end();
    };
    /** @type {[string, (event: PointerEvent) => void][]} */
    const listeners = [
      ["pointerdown", press],
      ["pointermove", move],
      ["pointerup", release],
      ["pointercancel", drop],
    ];
    const each = (/** @type {"addEventListener" | "removeEventListener"} */ act) => {
      for (const [kind, listener] of listeners) canvas[act](kind, /** @type {EventListener} */ (listener));
    };
    each("addEventListener");
    map.dragging.disable();
    canvas.classList.add("is-drawing");
    document.addEventListener("keydown", escape);
    this.pane.controls.markDrawing(true);
    this.stop = () => {
      drop();
      each("removeEventListener");
      map.dragging.enable();
      canvas.classList.remove("is-drawing");
      document.removeEventListener("keydown", escape);
      this.pane.controls.markDrawing(false);
    };
  }

  end() {
    this.stop?.();
    setTimeout(() => (this.stop = null)); // the click that ends a drag asks nothing
  }
}
