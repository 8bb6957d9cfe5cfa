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
 * A clean-up of `root` for Streamlit. Each run of a component is asynchronous and returns one; Streamlit also calls that of
 * a run which a later one has overtaken, when the later one may have drawn already. Such a clean-up does nothing.
 */
export function cleanUpOf(root, act) {
  const run = (runs.get(root) ?? 0) + 1;
  runs.set(root, run);
  return () => runs.get(root) === run && act();
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
