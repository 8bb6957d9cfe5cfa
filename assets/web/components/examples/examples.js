// Ready queries as pictures with a name: what one can ask, at a glance. What goes back is "take": {index, nonce}.

import { el } from "../map/controls.js";

let nonce = 0;

/** Called by Streamlit on every run; data: {examples: [{title, picture}]}. */
export function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-examples");
  if (!root || !data) return undefined;
  const key = JSON.stringify(data);
  if (root.ugcKey === key) return undefined;
  root.ugcKey = key;
  const take = (index) => setTriggerValue("take", { index, nonce: `${Date.now()}-${++nonce}` });
  root.replaceChildren(...data.examples.map((example, index) => tile(example, () => take(index))));
  return undefined;
}

function tile({ title, picture }, take) {
  const image = picture ? el("img", { src: picture, alt: "", loading: "lazy", decoding: "async", width: 224, height: 224 }) : null;
  image?.addEventListener("error", () => image.remove());
  return el("li", {}, el("button.ugc-example", { type: "button", onclick: take }, image, el("span", {}, title)));
}
