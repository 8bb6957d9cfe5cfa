// Example queries as pictures with a name: what one can ask, at a glance.

import { nonce } from "../../bus.js";
import { el, find } from "../../dom.js";

/** @import { Run } from "../../globals" */
/** @import { ExamplesProps, ExampleTake, ExampleTile } from "../../protocol" */

/** @type {WeakMap<HTMLElement, string>} What is drawn, as JSON. */
const drawn = new WeakMap();

/**
 * Called by Streamlit on every run; there is nothing to clean up.
 *
 * @param {Run<ExamplesProps, { take: ExampleTake }>} run
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-examples");
  if (!root || !data) return;
  const key = JSON.stringify(data);
  if (drawn.get(root) === key) return;
  drawn.set(root, key);
  const take = (/** @type {number} */ index) => setTriggerValue("take", { index, nonce: nonce() });
  root.replaceChildren(...data.examples.map((example, index) => tile(example, () => take(index))));
}

/**
 * @param {ExampleTile} example
 * @param {() => void} take
 */
function tile({ title, picture }, take) {
  const size = { width: 224, height: 224 };
  const image = picture ? el("img", { src: picture, alt: "", loading: "lazy", decoding: "async", ...size }) : null;
  image?.addEventListener("error", () => image.remove());
  return el("li", {}, el("button.ugc-example", { type: "button", onclick: take }, image, el("span", {}, title)));
}
