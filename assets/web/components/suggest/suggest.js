// Suggestions for a text field, as a datalist: the browser shows them, and keyboard and screen reader know it.

import { beginRun } from "../../bus.js";

const MOST = 12;
const lists = new Map(); // address -> promise of texts

/** Called by Streamlit on every run; data: {url, label}, the label of the field. */
export function render({ parentElement, data }) {
  const list = parentElement.querySelector("datalist");
  if (!list || !data) return undefined;
  const isLatest = beginRun(list);
  const field = () => document.querySelector(`input[aria-label="${CSS.escape(data.label)}"]`);
  const fill = async (event) => {
    const input = event.target;
    if (input !== field()) return;
    input.setAttribute("list", list.id); // again and again: the field may have been drawn anew
    const texts = await fetched(data.url);
    if (input === field()) list.replaceChildren(...matching(texts, input.value).map((text) => new Option(text, text)));
  };
  list.ugcStop?.();
  document.addEventListener("focusin", fill);
  document.addEventListener("input", fill);
  list.ugcStop = () => {
    document.removeEventListener("focusin", fill);
    document.removeEventListener("input", fill);
  };
  return () => isLatest() && list.ugcStop();
}

function fetched(url) {
  if (!lists.has(url)) {
    const answer = fetch(url).then((response) => (response.ok ? response.json() : []));
    lists.set(url, answer.catch(() => [])); // without suggestions one can still type
  }
  return lists.get(url);
}

/** Texts that begin so first, then those with a word that begins so. */
function matching(texts, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return texts.slice(0, MOST);
  const first = [];
  const later = [];
  for (const text of texts) {
    const lower = text.toLowerCase();
    if (lower === wanted) continue;
    if (lower.startsWith(wanted)) first.push(text);
    else if (lower.includes(` ${wanted}`)) later.push(text);
    if (first.length === MOST) break;
  }
  return [...first, ...later].slice(0, MOST);
}
