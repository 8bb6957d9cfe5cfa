// The map of the app: one or several Leaflet panes that move together, each with its own overlay, markers and legend.
//
// Python sends the whole wished-for state on every run; the map changes only what differs, so it is never built twice,
// the view is kept, and a heatmap fades into the next one. Panning, zooming, opacity and the choice of base map stay in
// the browser, which keeps them in the page's address (address.js). What goes back are the triggers "click", "region" and
// "painted".

import { allPainted, beginRun, nonce } from "../../bus.js";
import { find } from "../../dom.js";
import { SyncedMap } from "./synced-map.js";

/** @import { MapClick, MapPainted, MapProps, MapRegion } from "../../protocol" */
/** @import { Run } from "../../globals" */

/** @type {Promise<Window["L"]> | null} */
let leafletReady = null;

function leaflet() {
  leafletReady ??= import(new URL("../../leaflet/leaflet.js", import.meta.url).href).then(() => window.L);
  return leafletReady;
}

/**
 * Called by Streamlit on every change of data or theme; returns the clean-up.
 *
 * @param {Run<MapProps, { click: MapClick, region: MapRegion, painted: MapPainted }>} run
 */
export async function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-map");
  if (!root || !data) return undefined;
  const isLatest = beginRun(root);
  const L = await leaflet();
  if (root.ugcMap && root.ugcMap.id !== data.id) {
    root.ugcMap.destroy(); // another atlas: other base maps, bounds and view
    delete root.ugcMap;
  }
  root.ugcMap ??= new SyncedMap(L, root, data);
  root.ugcMap.onClick = (value) => setTriggerValue("click", value);
  root.ugcMap.onRegion = (value) => setTriggerValue("region", value);
  root.ugcMap.update(data);
  if (data.tells_painted) {
    allPainted().then(() => {
      if (isLatest()) setTriggerValue("painted", { nonce: nonce() });
    });
  }
  return () => {
    if (!isLatest()) return;
    root.ugcMap?.destroy();
    delete root.ugcMap;
  };
}
