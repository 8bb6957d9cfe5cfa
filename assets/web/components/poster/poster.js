// Poster mode: plays scenes, one after the other, until somebody touches the screen; goes on when they have left.
//
// One object for the life of the browser page keeps time with one timer, which runs only while poster mode is on. It
// asks Python for the next scene by the trigger "go", and shows its caption when Python's answer (`data.at`) and the
// map's picture are there. A server that was restarted answers again by itself; one that does not is asked again by
// opening the page again. The trigger "leave" takes poster mode out of the page's address.

import { nonce, tell } from "../../bus.js";
import { find } from "../../dom.js";
import { Band, phoneOrigin } from "./band.js";
import { isDressed, liveMap, shownPicture } from "./live.js";
import { Playback } from "./playback.js";

/** @import { Run } from "../../globals" */
/** @import { PosterGo, PosterLeave, PosterProps, PosterScene } from "../../protocol" */
/** @import { Phase, Stage } from "./playback.js" */

/** @typedef {{ go: PosterGo, leave: PosterLeave }} Triggers */

const TICK_MS = 250;
const LAYOUT_MS = 150; // until the map has the size it has on its page
const SWALLOW_MS = 700; // the click that follows the touch which stopped the loop
const POINTER = ["pointerdown", "mousedown", "touchstart", "pointerup", "mouseup", "touchend", "click", "wheel"];
const STOPS = ["pointerdown", "touchstart", "wheel"];
const LIVELY = ["pointermove", "pointerdown", "keydown", "wheel", "touchmove", "input"];
const TEXT_FIELDS =
  "input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]";

/** @implements {Stage} */
class Poster {
  playback = new Playback(this);
  band = new Band({
    start: () => this.start(),
    play: () => this.playback.play(performance.now()),
    pause: () => this.playback.pause(performance.now()),
    leave: () => this.playback.leave(),
  });
  /** @type {HTMLElement | null} */
  root = null;
  /** @type {PosterProps} */
  data = { scenes: [], at: null, origin: "" };
  /** @type {Run<PosterProps, Triggers>["setTriggerValue"]} */
  send = () => {};
  linked = false; // whether the page's address has been looked at
  swallowUntil = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  ticker = undefined;
  hearPointer = (/** @type {Event} */ event) => this.pointer(event);
  hearLife = () => this.playback.touch(performance.now());

  constructor() {
    window.addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  /**
   * Take over what Python says, and the place to draw in.
   *
   * @param {HTMLElement} root
   * @param {PosterProps} data
   * @param {Run<PosterProps, Triggers>["setTriggerValue"]} send
   */
  update(root, data, send) {
    this.data = data;
    this.send = send;
    this.playback.scenes = data.scenes;
    if (this.root !== root) {
      this.root = root;
      this.band.mount(root);
    }
    if (!this.linked && new URLSearchParams(location.search).get("mode") === "poster") this.start();
    this.linked = true; // a link starts it once; the back button does not
    this.playback.answer(data.at);
  }

  start() {
    if (this.playback.phase !== "off" || !this.data.scenes.length) return;
    for (const kind of POINTER) window.addEventListener(kind, this.hearPointer, { capture: true, passive: false });
    this.ticker = setInterval(() => this.playback.tick(performance.now()), TICK_MS);
    this.playback.start(performance.now());
    tell("live", {}); // whoever comes by with a pointer need not look for the button
  }

  // The stage of the playback.

  /** @param {Phase} phase */
  setPhase(phase) {
    for (const kind of LIVELY) {
      if (phase === "paused") window.addEventListener(kind, this.hearLife, { capture: true, passive: true });
      else window.removeEventListener(kind, this.hearLife, { capture: true });
    }
    if (phase === "off") {
      clearInterval(this.ticker);
      for (const kind of POINTER) window.removeEventListener(kind, this.hearPointer, { capture: true });
    }
    this.band.setPhase(phase);
    if (phase === "playing" && document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  /** @param {number} at */
  ask(at) {
    this.tellPython("go", { at, nonce: nonce() });
  }

  leave() {
    this.tellPython("leave", { nonce: nonce() });
  }

  /**
   * @template {keyof Triggers} Name
   * @param {Name} name
   * @param {Triggers[Name]} value
   */
  tellPython(name, value) {
    try {
      this.send(name, value);
    } catch {
      // Not connected at present: the scene is asked for again.
    }
  }

  /** @param {number} at */
  async reopen(at) {
    const healthy = await fetch("/_stcore/health")
      .then((answer) => answer.ok)
      .catch(() => false);
    if (healthy && this.playback.phase === "playing") location.replace(`${this.data.scenes[at].address}&mode=poster`);
  }

  frame() {
    tell("home", { cover: true });
  }

  goHome() {
    setTimeout(() => tell("home", {}), LAYOUT_MS);
  }

  /**
   * @param {PosterScene} scene
   * @param {string} number
   */
  caption(scene, number) {
    this.band.caption(scene, number, phoneOrigin(location, this.data.origin));
  }

  /** @param {number} share */
  progress(share) {
    this.band.progress(share);
  }

  /**
   * @param {PosterScene | null} scene
   * @param {number} milliseconds
   */
  awaited(scene, milliseconds) {
    this.band.awaited(scene, milliseconds);
  }

  /** @param {number} seconds */
  resting(seconds) {
    this.band.resting(seconds);
  }

  /**
   * @param {boolean} on
   * @param {boolean} [hold]
   */
  veil(on, hold) {
    this.band.veil(on, hold);
  }

  map() {
    return liveMap();
  }

  /** @param {boolean} all */
  picture(all) {
    return shownPicture(all);
  }

  isDressed() {
    return isDressed();
  }

  // What people do.

  /**
   * While it plays, the first touch only stops it: whoever touches a picture in passing asks nothing.
   *
   * @param {Event} event
   */
  pointer(event) {
    if (this.root?.contains(/** @type {Node} */ (event.target))) return;
    const now = performance.now();
    if (this.playback.phase === "playing" && STOPS.includes(event.type)) {
      this.swallowUntil = now + SWALLOW_MS;
      this.playback.pause(now);
    }
    if (now >= this.swallowUntil) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.type === "click") this.swallowUntil = 0;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { phase } = this.playback;
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    if (phase === "off") {
      if (isTyping(event.target) || !isShortcut(event)) return;
      this.start();
    } else if (event.key === "Escape") {
      if (phase === "paused" && document.querySelector("dialog[open]")) return; // closes that first
      this.playback.leave();
    } else if (phase === "playing") this.playback.pause(performance.now());
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** @param {KeyboardEvent} event */
function isShortcut(event) {
  return event.shiftKey && event.code === "KeyP" && !event.ctrlKey && !event.altKey && !event.metaKey;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && Boolean(target.closest(TEXT_FIELDS));
}

const poster = new Poster();

/**
 * Called by Streamlit on every change of data or theme.
 *
 * @param {Run<PosterProps, Triggers>} run
 */
export function render({ parentElement, data, setTriggerValue }) {
  const root = find(parentElement, ".ugc-poster");
  if (root && data) poster.update(root, data, setTriggerValue);
}
