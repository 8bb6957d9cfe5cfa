// The map by keyboard: arrow keys move it under the cross in its middle, or, while it is live, the cross; Enter asks there.

/** @import { Pane } from "./pane.js" */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP_PX = 12;
const SHIFTED = 5; // times that, with the shift key
const EDGE_PX = 16;

export class Keys {
  /** @param {Pane} pane */
  constructor(pane) {
    this.pane = pane;
    /** @type {L.Point | null} where the cross is, in pixels; null in the middle */
    this.cross = null;
    const { canvas, map } = pane;
    canvas.addEventListener("keydown", (event) => this.pressed(event));
    canvas.addEventListener("blur", () => this.leave());
    // After a zoom, another place is under the cross.
    map.on("moveend", () => {
      if (canvas.classList.contains("is-keyboard") && document.activeElement === canvas) this.hover();
    });
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const { canvas, owner } = this.pane;
    if (event.target !== canvas) return;
    if (event.key === "Enter") owner.ask(this.pane, this.position());
    if (!owner.live.isOn || !(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation(); // Leaflet, which listens farther out, would move the map
    const [x, y] = ARROWS[event.key];
    this.move(this.pane.L.point(x, y).multiplyBy(STEP_PX * (event.shiftKey ? SHIFTED : 1)));
  }

  /** @param {L.Point} by Pixels; what the window has no room for moves the map. */
  move(by) {
    const { map } = this.pane;
    const size = map.getSize();
    const wanted = this.point().add(by);
    const within = (/** @type {number} */ value, /** @type {number} */ most) =>
      Math.max(EDGE_PX, Math.min(most - EDGE_PX, value));
    this.cross = this.pane.L.point(within(wanted.x, size.x), within(wanted.y, size.y));
    const rest = wanted.subtract(this.cross);
    if (rest.x || rest.y) map.panBy(rest, { animate: false });
    this.mark();
    this.hover();
  }

  point() {
    return this.cross ?? this.pane.map.getSize().divideBy(2);
  }

  position() {
    return this.pane.map.containerPointToLatLng(this.point());
  }

  hover() {
    const at = this.position().wrap();
    this.pane.controls.pointer(at);
    this.pane.owner.live.hover(at);
  }

  mark() {
    const { style } = this.pane.canvas;
    style.setProperty("--cross-x", this.cross ? `${this.cross.x}px` : "50%");
    style.setProperty("--cross-y", this.cross ? `${this.cross.y}px` : "50%");
  }

  leave() {
    if (this.pane.canvas.classList.contains("is-keyboard")) this.pane.owner.live.hover(null);
    this.cross = null;
    this.mark();
  }
}
