// Suggestions for a text field, as a datalist: the browser shows them, and keyboard and screen reader know it.

import { beginRun, cleanUpOf } from "../../bus.js";
import { matching } from "./matching.js";

/** @import { Run } from "../../globals" */
/** @import { SuggestProps } from "../../protocol" */

/** @type {Map<string, Promise<string[]>>} By address. */
const lists = new Map();

/**
 * Called by Streamlit on every run; returns the clean-up.
 *
 * @param {Run<SuggestProps>} run
 */
export function render({ parentElement, data }) {
  const list = parentElement.querySelector("datalist");
  if (!list || !data) return undefined;
  const isLatest = beginRun(list);
  const field = () => document.querySelector(`input[aria-label="${CSS.escape(data.label)}"]`);
  const fill = async (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input !== field()) return;
    input.setAttribute("list", list.id); // again and again: the field may have been drawn again
    const texts = await fetched(data.url);
    if (input === field()) list.replaceChildren(...matching(texts, input.value).map((text) => new Option(text, text)));
  };
  document.addEventListener("focusin", fill);
  document.addEventListener("input", fill);
  return cleanUpOf(list, isLatest, () => {
    document.removeEventListener("focusin", fill);
    document.removeEventListener("input", fill);
  });
}

/**
 * @param {string} url
 * @returns {Promise<string[]>}
 */
function fetched(url) {
  let texts = lists.get(url);
  if (!texts) {
    texts = fetch(url)
      .then((response) => (response.ok ? response.json() : []))
      .catch(() => []); // without suggestions one can still type
    lists.set(url, texts);
  }
  return texts;
}
