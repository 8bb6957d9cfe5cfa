// What the parts of one page tell each other without a round trip to the server: a card that is pointed at lights up its
// marker, a marker that is clicked brings up its card. Events carry plain ids, so neither part knows the other.

const channel = new EventTarget();

/** Tell every listener of `kind` ("show" | "hover" | "reveal" | "camera" | "address") about `detail`. */
export function tell(kind, detail) {
  channel.dispatchEvent(new CustomEvent(kind, { detail }));
}

/** Call `listener(detail)` on every `kind`; returns the function that stops it. */
export function hear(kind, listener) {
  const handler = (event) => listener(event.detail);
  channel.addEventListener(kind, handler);
  return () => channel.removeEventListener(kind, handler);
}

const runs = new WeakMap();

/**
 * Begins a run of the component at `root`; returns whether it still is the latest, to be asked later on. Streamlit's runs
 * are asynchronous, and it also calls the clean-up of one that a later one has overtaken, which may have drawn already.
 */
export function beginRun(root) {
  const run = (runs.get(root) ?? 0) + 1;
  runs.set(root, run);
  return () => runs.get(root) === run;
}

const PATIENCE_MS = 700;
let painting = Promise.resolve();

/** The map says until when its new picture is on its way. */
export function paintsUntil(shown) {
  painting = shown;
}

/** What is beside the map waits for that picture: it is what people look at, and drawing twenty cards would hold it up. */
export async function painted() {
  await later(0); // the map hears of an answer in the same breath
  await Promise.race([painting, later(PATIENCE_MS)]);
}

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
