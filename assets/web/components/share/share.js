// The button that copies the page's address, with the view and display that the map keeps in it.

import { tell } from "../../bus.js";

const SAID_MS = 2500;

/** Called by Streamlit when the button appears; returns nothing to clean up. */
export function render({ parentElement }) {
  const root = parentElement.querySelector(".ugc-share");
  const button = root.querySelector("button");
  const said = root.querySelector("[role=status]");
  const field = root.querySelector("input");
  button.onclick = async () => {
    tell("address"); // what the map still waits to write
    const copied = await copy(location.href, field);
    field.hidden = copied;
    said.textContent = copied ? "Copied" : "Copy it from here:";
    clearTimeout(root.ugcSaid);
    if (copied) root.ugcSaid = setTimeout(() => (said.textContent = ""), SAID_MS);
  };
}

// Browsers give the clipboard only to pages of this machine or of https; others have the older way, or copy by hand.
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
