// What the checker does not know of the browser and of Streamlit, and what the modules share besides the protocol.

import type * as Leaflet from "leaflet";
import type { SyncedMap } from "./components/map/synced-map.js";
import type { Site } from "./site/app.js";
import type { Viewer } from "./components/street/viewer.js";

/** What Streamlit hands to `render`: `Props` come from Python, `Triggers` are what goes back, by name. */
export interface Run<Props, Triggers = Record<never, never>> {
  parentElement: HTMLElement;
  data?: Props;
  setTriggerValue<Name extends keyof Triggers>(name: Name, value: Triggers[Name]): void;
}

declare global {
  interface Window {
    L: typeof Leaflet; // the vendored script sets it
    navigation?: EventTarget; // not in every browser
    __streamlit?: { BACKEND_BASE_URL: string };
  }

  // For people with a console, and for the tests that drive a browser.
  interface HTMLElement {
    ugcMap?: SyncedMap;
    ugcViewer?: Viewer;
    ugcSite?: Site;
  }

  interface IntersectionObserverInit {
    scrollMargin?: string; // not in every browser
  }
}
