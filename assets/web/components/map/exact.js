// The exact heatmap of a click, fetched at once: the run of the page, which brings it with all the rest, takes longer.

/** @import { Pane } from "./pane.js" */

export class Exact {
  /** @param {Pane} pane */
  constructor(pane) {
    this.pane = pane;
    this.number = 0; // of the last click
  }

  /**
   * Show the heatmap of a point, unless the answer of the page, or another click, is there first.
   *
   * @param {{ lat: number, lng: number }} position
   */
  async ask({ lat, lng }) {
    const { pane } = this;
    const { live, nonce } = pane;
    const number = ++this.number;
    if (!live?.exact) return;
    const url = live.exact.replace("{lat}", String(lat)).replace("{lng}", String(lng));
    const response = await fetch(url).catch(() => null);
    // Read to its end, so that the picture comes out of the browser's cache now and when the page names it.
    const picture = response?.ok ? await response.blob().catch(() => null) : null;
    if (!response || !picture || number !== this.number || pane.gone || pane.nonce !== nonce) return;
    pane.setOverlay({ url: new URL(response.url).pathname, bounds: live.bounds });
    pane.overlay?.on("load", () => pane.owner.live.rest());
  }
}
