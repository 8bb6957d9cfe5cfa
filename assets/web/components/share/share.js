// The button that copies the page's address, with the view and display that the map keeps in it.

import { tell } from "../../bus.js";
import { find } from "../../dom.js";

/** @import { Run } from "../../globals" */

const SAID_MS = 2500;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let forgetting;

/**
 * Called by Streamlit when the button appears; there is nothing to clean up.
 *
 * @param {Run<undefined>} run
 */
export function render({ parentElement }) {
  const button = parentElement.querySelector("button");
  const said = find(parentElement, ".ugc-share-said");
  const field = /** @type {HTMLInputElement | null} */ (find(parentElement, ".ugc-share-address"));
  if (!button || !said || !field) return;
  button.onclick = async () => {
    tell("address", {}); // what the map still waits to write
    const copied = await copy(location.href, field);
    field.hidden = copied;
    said.textContent = copied ? "Copied" : "Copy it from here:";
    clearTimeout(forgetting);
    if (copied) forgetting = setTimeout(() => (said.textContent = ""), SAID_MS);
  };
  button.disabled = false; // until now a click would have done nothing
}

/**
 * Browsers give the clipboard only to pages of this machine or of https; others have the older way, or copy by hand.
 *
 * @param {string} text
 * @param {HTMLInputElement} field
 * @returns {Promise<boolean>}
 */
async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.hidden = false;
    field.value = text;
    field.select();
    return document.execCommand("copy");
  }
}
