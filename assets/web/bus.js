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
