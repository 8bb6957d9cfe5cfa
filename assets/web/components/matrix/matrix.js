// Figures of all pairs as a table of buttons: a cell opens examples. Arrow keys go from cell to cell.

import { nonce } from "../../bus.js";
import { el, find } from "../../dom.js";

/** @import { Run } from "../../globals" */
/** @import { MatrixCell, MatrixOpen, MatrixProps } from "../../protocol" */

/** @type {Record<string, [number, number]>} Rows and columns that an arrow key goes. */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** @type {WeakMap<HTMLElement, string>} What is drawn, as JSON. */
const drawn = new WeakMap();

/**
 * Called by Streamlit on every run; there is nothing to clean up.
 *
 * @param {Run<MatrixProps, { open: MatrixOpen }>} run
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-matrix");
  if (!root || !data) return;
  const key = JSON.stringify(data);
  if (drawn.get(root) === key) return;
  drawn.set(root, key);
  const focused = root.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const pair = focused?.dataset.pair;
  const open = (/** @type {string} */ name) => setTriggerValue("open", { pair: name, nonce: nonce() });
  root.replaceChildren(table(data, open));
  if (pair) buttonOf(root, pair)?.focus();
}

/**
 * @param {HTMLElement} root
 * @param {string} pair
 * @returns {HTMLElement | null}
 */
const buttonOf = (root, pair) => root.querySelector(`button[data-pair="${CSS.escape(pair)}"]`);

/**
 * @param {MatrixProps} data
 * @param {(pair: string) => void} open
 */
function table({ label, columns, rows, opened }, open) {
  const heads = columns.map((title) => el("th", { scope: "col" }, title));
  const corner = el("td", {}, "query ↓, found →");
  const body = rows.map(({ title, cells }) =>
    el("tr", {}, el("th", { scope: "row" }, title), ...cells.map((cell) => cellFor(cell, opened, open))),
  );
  return el(
    "div.ugc-matrix-scroll",
    {},
    el(
      "table",
      { "aria-label": label, onkeydown: step },
      el("thead", {}, el("tr", {}, corner, ...heads)),
      el("tbody", {}, ...body),
    ),
  );
}

/**
 * @param {MatrixCell | null} cell
 * @param {string} opened
 * @param {(pair: string) => void} open
 */
function cellFor(cell, opened, open) {
  if (!cell) return el("td.is-own", {}, "–");
  const { pair, value, note, share, means } = cell;
  const attributes = {
    type: "button",
    "data-pair": pair,
    "aria-label": means,
    "aria-pressed": String(pair === opened),
    title: means,
    style: `--share: ${Math.round(100 * share)}%`,
    onclick: () => open(pair),
  };
  return el("td", {}, el("button", attributes, el("b", {}, value), el("small", {}, note)));
}

/** @param {KeyboardEvent} event */
function step(event) {
  const way = STEPS[event.key];
  const cell = /** @type {HTMLElement} */ (event.target).closest("td");
  const row = cell?.closest("tr");
  const body = row?.closest("tbody");
  if (!way || !cell || !row || !body) return;
  event.preventDefault();
  let [down, across] = [row.sectionRowIndex, cell.cellIndex];
  for (;;) {
    down += way[0];
    across += way[1];
    const next = body.rows[down]?.cells[across];
    if (!next || across < 1) return;
    const button = next.querySelector("button"); // none on the diagonal
    if (button) return button.focus();
  }
}
