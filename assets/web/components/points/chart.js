// Where the points of a Plotly chart are on the screen, and marks drawn over them.

const SVG = "http://www.w3.org/2000/svg";
const RING_PX = 9;

/**
 * @typedef {object} Axis
 * @property {(value: number) => number} c2p From a value to pixels from the edge of the plot.
 * @property {number} _offset Of the plot from the edge of the chart, pixels.
 * @property {number} _length Of the axis, pixels.
 *
 * @typedef {object} Trace
 * @property {string} mode
 * @property {boolean | "legendonly"} visible
 * @property {ArrayLike<number>} x
 * @property {ArrayLike<number>} y
 *
 * @typedef {object} PlotlyEvent
 * @property {{ customdata?: number }[]} points
 * @property {MouseEvent} event
 *
 * @typedef {object} Plot What Plotly adds to its element.
 * @property {(kind: string, listener: (event: any) => void) => void} on
 * @property {{ xaxis: Axis, yaxis: Axis }} _fullLayout
 * @property {Trace[]} _fullData
 *
 * @typedef {HTMLElement & Plot} Chart
 */

/**
 * The points of a place, pixels from the corner of the chart; not those of modalities that the legend hides.
 *
 * @param {Plot} chart
 * @param {number} place
 * @returns {[number, number][]}
 */
export function pointsOf(chart, place) {
  const { xaxis, yaxis } = chart._fullLayout;
  return chart._fullData
    .filter((trace) => trace.mode === "markers" && trace.visible === true && place < trace.x.length)
    .map(({ x, y }) => [xaxis._offset + xaxis.c2p(x[place]), yaxis._offset + yaxis.c2p(y[place])]);
}

/**
 * Rings round the points of places, and lines from their middle.
 *
 * @param {Chart} chart
 * @param {number[]} places
 * @param {number} opened Which of them is open.
 */
export function marksOf(chart, places, opened) {
  const { xaxis, yaxis } = chart._fullLayout;
  const marks = /** @type {SVGSVGElement} */ (shape("svg", { class: "ugc-points-marks", "aria-hidden": "true" }));
  const id = "ugc-points-frame";
  const frame = { x: xaxis._offset, y: yaxis._offset, width: xaxis._length, height: yaxis._length };
  const clip = shape("clipPath", { id });
  clip.append(shape("rect", frame));
  const all = shape("g", { "clip-path": `url(#${id})` });
  marks.append(clip, all);
  for (const place of places) {
    const points = pointsOf(chart, place);
    const group = shape("g", { class: place === opened ? "is-open" : "is-over" });
    const middle = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
    for (const [x, y] of points) {
      group.append(shape("line", { x1: middle[0], y1: middle[1], x2: x, y2: y }));
      group.append(shape("circle", { cx: x, cy: y, r: RING_PX }));
    }
    all.append(group);
  }
  return marks;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
