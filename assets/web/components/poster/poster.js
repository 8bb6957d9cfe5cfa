// Poster mode: plays scenes, one after the other, until somebody touches the screen; goes on when they have left.
//
// One object for the life of the browser page keeps time with one timer, which runs only while poster mode is on. It asks
// Python for the next scene, go = {at, nonce}, and shows its caption when Python's answer (`data.at`) and the map's
// picture are there. A server that was restarted answers again by itself; one that does not is asked again by opening
// the page anew. leave = {nonce} takes poster mode out of the page's address.

import { tell } from "../../bus.js";
import { el } from "../map/controls.js";

const SCENE_MS = 14_000;
const REST_MS = 60_000;
const TICK_MS = 250;
const ANSWER_MS = 15_000; // then the scene is asked for again
const ALL_MS = 12_000; // so long all panes of a map are waited for, then any
const PICTURE_MS = 60_000; // an atlas that is opened for the first time takes that long
const FADE_MS = 3_000; // a map that stays fades by itself: its next picture is not waited for longer
const SETTLE_MS = 1_000;
const DRESS_MS = 2_500; // so long the map below the heatmap and the cards beside it are waited for
const LIFT_MS = 300; // the veil's transition, and a little
const MISSES = 3;
const LIFE_MS = 800; // a scene that takes longer to come says so
const HINT = "Touch the screen or press a key to take over.";
const SWALLOW_MS = 700; // the click that follows the touch which stopped the loop
const POINTER = ["pointerdown", "mousedown", "touchstart", "pointerup", "mouseup", "touchend", "click", "wheel"];
const LIVELY = ["pointermove", "pointerdown", "keydown", "wheel", "touchmove", "input"];

class Poster {
  constructor() {
    this.phase = "off"; // or "playing", "paused"
    this.at = this.captioned = -1;
    this.nonce = 0;
    this.data = { scenes: [] };
    this.hearPointer = (event) => this.pointer(event);
    this.hearLife = () => (this.touched = performance.now());
    window.addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  /** Take over what Python says, and the place to draw in. */
  update(root, data, send) {
    Object.assign(this, { data, send });
    if (this.root !== root) {
      this.root = root;
      this.build();
    }
    if (this.at < 0 && this.phase === "off" && !this.asked && new URLSearchParams(location.search).get("mode") === "poster") this.start();
    this.asked = true; // a link starts it once; the back button does not
    if (this.phase === "playing" && !this.answered) this.answer();
  }

  start() {
    if (!this.data.scenes.length) return;
    for (const kind of POINTER) window.addEventListener(kind, this.hearPointer, { capture: true, passive: false });
    this.ticker = setInterval(() => this.tick(performance.now()), TICK_MS);
    this.misses = 0;
    this.play();
  }

  play() {
    for (const kind of LIVELY) window.removeEventListener(kind, this.hearLife, { capture: true });
    this.setPhase("playing");
    document.activeElement?.blur?.();
    this.go((this.at + 1) % this.data.scenes.length, { cut: true });
  }

  pause() {
    this.awaited(null);
    this.touched = performance.now();
    for (const kind of LIVELY) window.addEventListener(kind, this.hearLife, { capture: true, passive: true });
    this.veil(false);
    this.setPhase("paused");
    this.tick(this.touched);
    setTimeout(() => tell("home", {}), 150); // when the map has the size it has on its page
  }

  leave() {
    clearInterval(this.ticker);
    for (const kind of POINTER) window.removeEventListener(kind, this.hearPointer, { capture: true });
    for (const kind of LIVELY) window.removeEventListener(kind, this.hearLife, { capture: true });
    this.veil(false);
    if (this.phase === "playing") setTimeout(() => tell("home", {}), 150);
    this.setPhase("off");
    this.tellPython("leave", {});
  }

  setPhase(phase) {
    this.phase = phase;
    const page = document.documentElement.classList;
    page.toggle("is-poster", phase !== "off");
    page.toggle("is-playing", phase === "playing");
    this.band.hidden = phase !== "playing";
    this.rest.hidden = phase !== "paused";
  }

  /** Ask for a scene; after a cut nothing of the page before is worth holding. */
  go(at, { cut = false } = {}) {
    const scene = this.data.scenes[at];
    const before = this.data.scenes[this.at];
    this.at = at;
    this.answered = this.shown = false;
    this.framedAt = 0;
    this.askedAt = this.wantedAt = performance.now();
    this.oldMap = liveMap();
    this.oldPicture = shownPicture();
    this.newMap = !before || before.page !== scene.page || before.atlas !== scene.atlas;
    if (this.newMap) this.veil(true, { hold: !cut });
    if (!before) this.caption(at);
    this.tellPython("go", { at });
  }

  tellPython(kind, value) {
    this.nonce += 1;
    try {
      this.send(kind, { ...value, nonce: `${Date.now()}-${this.nonce}` });
    } catch {
      // Not connected at present: the scene is asked for again.
    }
  }

  tick(now) {
    if (this.phase === "paused") {
      const left = Math.ceil((REST_MS - (now - this.touched)) / 1000);
      if (left <= 0) this.play();
      else this.restWords.textContent = `Poster mode is waiting. Playing again in ${left} s`;
    } else if (this.phase === "playing" && !this.shown) this.wait(now);
    else if (this.phase === "playing") {
      const share = (now - this.shownAt) / SCENE_MS;
      this.progress(share);
      if (!this.settled && now - this.shownAt > SETTLE_MS) this.frame(now);
      if (share >= 1) this.go((this.at + 1) % this.data.scenes.length);
    }
  }

  wait(now) {
    const waited = now - this.askedAt;
    if (waited > LIFE_MS) this.awaited(now - this.wantedAt);
    if (!this.answered) {
      if (waited > ANSWER_MS) this.miss();
      return;
    }
    const picture = shownPicture(waited < ALL_MS);
    const isNew = picture !== this.oldPicture || (this.newMap ? liveMap() !== this.oldMap : waited > FADE_MS);
    if (!(picture && isNew) && waited <= PICTURE_MS) return;
    if (!this.framedAt) this.frame(now);
    else if (!this.newMap || isDressed() || now - this.framedAt > DRESS_MS) this.reveal(now);
  }

  // Python has begun to show the scene.
  answer() {
    if (this.data.at !== this.at) return;
    this.answered = true;
    this.misses = 0;
  }

  reveal(now) {
    this.shown = true;
    this.awaited(null);
    this.shownAt = now;
    this.settled = false;
    this.caption(this.at);
    this.progress(0);
    this.veil(false);
  }

  // The whole atlas in the window; once more when a slow page has come to rest.
  frame(now) {
    this.settled = true;
    this.framedAt = now;
    tell("home", { cover: true });
  }

  // Nobody answered: the server is away, or was restarted and does not know this page any more.
  async miss() {
    this.misses += 1;
    this.askedAt = performance.now();
    if (this.misses < MISSES) {
      this.tellPython("go", { at: this.at });
      return;
    }
    this.misses = 0;
    const healthy = await fetch("/_stcore/health").then((answer) => answer.ok).catch(() => false);
    const { address } = this.data.scenes[this.at];
    if (healthy && this.phase === "playing") location.replace(`${address}&mode=poster`);
  }

  // While it plays, the first touch only stops it: whoever touches a picture in passing asks nothing.
  pointer(event) {
    if (this.root.contains(event.target)) return;
    const now = performance.now();
    if (this.phase === "playing" && ["pointerdown", "touchstart", "wheel"].includes(event.type)) {
      this.swallowUntil = now + SWALLOW_MS;
      this.pause();
    }
    if (!(now < this.swallowUntil)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.type === "click") this.swallowUntil = 0;
  }

  key(event) {
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    if (this.phase === "off") {
      if (isTyping(event.target) || !(event.shiftKey && event.code === "KeyP") || event.ctrlKey || event.altKey || event.metaKey) return;
      this.start();
    } else if (event.key === "Escape") {
      if (this.phase === "paused" && document.querySelector("dialog[open]")) return; // closes that first
      this.leave();
    } else if (this.phase === "playing") this.pause();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // What is drawn.

  build() {
    const button = (label, attributes, act) => el("button.ugc-poster-button", { type: "button", onclick: act, ...attributes }, label);
    this.veilSheet ??= el("div.ugc-poster-veil", { "aria-hidden": "true" }); // with what it holds
    this.bar = el("div.ugc-poster-bar");
    this.words = el("div.ugc-poster-words");
    this.phone = el("figure.ugc-poster-phone", { hidden: "" });
    this.band = el("section.ugc-poster-band", { "aria-label": "Poster mode", hidden: "" }, el("div.ugc-poster-track", { "aria-hidden": "true" }, this.bar), this.words, this.phone);
    this.band.addEventListener("click", () => this.pause());
    this.restWords = el("span");
    this.rest = el(
      "section.ugc-poster-rest",
      { "aria-label": "Poster mode", hidden: "" },
      this.restWords,
      button("Play now", {}, () => this.play()),
      button("Leave", { title: "Leave poster mode (Escape)" }, () => this.leave()),
    );
    const offer = button("Poster mode", { title: "Plays the examples by itself, for a large screen (Shift+P; Escape ends it)", "aria-keyshortcuts": "Shift+P" }, () => this.start());
    offer.append(el("kbd", { "aria-hidden": "true" }, "⇧P"));
    const help = button("?", { title: "How to use this page", "aria-label": "How to use this page" }, () => tell("intro", {}));
    help.classList.add("ugc-poster-help");
    this.root.replaceChildren(el("div.ugc-poster-offer", {}, help, offer), this.veilSheet, this.band, this.rest);
    this.setPhase(this.phase);
    if (this.captioned >= 0) this.caption(this.captioned);
  }

  // What comes next and for how long it has been worked on, so that nobody takes a slow scene for a broken page; null when
  // it is there.
  awaited(milliseconds) {
    const waits = milliseconds !== null;
    this.band.classList.toggle("is-waiting", waits);
    const hint = this.words.querySelector(".ugc-poster-hint");
    const text = waits ? `Next: ${this.data.scenes[this.at].title}. Computing, ${Math.max(1, Math.round(milliseconds / 1000))} s` : HINT;
    if (hint && hint.textContent !== text) hint.textContent = text;
  }

  caption(at) {
    const scene = this.data.scenes[at];
    this.captioned = at;
    const number = `${at + 1} of ${this.data.scenes.length}`;
    this.words.replaceChildren(
      el("p.ugc-poster-place", {}, scene.place, el("span", {}, number)),
      el("h2.ugc-poster-title", {}, scene.title),
      el("p.ugc-poster-caption", {}, scene.caption),
      el("p.ugc-poster-hint", {}, HINT),
    );
    this.code(scene);
  }

  // A phone cannot open an address that means "this machine".
  code(scene) {
    const here = ["localhost", "[::1]"].includes(location.hostname) || location.hostname.startsWith("127.");
    const origin = here ? this.data.origin : location.origin;
    this.phone.hidden = !origin;
    if (!origin) return;
    const address = origin + scene.address;
    const source = `/data/qr.svg?address=${encodeURIComponent(address)}`;
    if (this.phone.dataset.address === address) return;
    this.phone.dataset.address = address;
    this.phone.replaceChildren(
      el("img", { src: source, alt: `QR code of ${address}` }),
      el("figcaption", {}, "Open this on your phone", el("span", {}, new URL(origin).host)),
    );
  }

  progress(share) {
    // Without motion the bar moves in few steps.
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const part = Math.min(1, still ? Math.floor(share * 4) / 4 : share);
    this.bar.style.transform = `scaleX(${part})`;
    this.bar.classList.toggle("is-still", still || share === 0);
  }

  // The veil carries a still of what was shown last, so that nobody looks at an empty or half drawn window.
  veil(on, { hold = false } = {}) {
    clearTimeout(this.lifting);
    this.veilSheet.classList.toggle("is-on", on);
    if (on) this.veilSheet.replaceChildren(...(hold ? stills() : [el("p", {}, "Opening the map …")]));
    else this.lifting = setTimeout(() => this.veilSheet.replaceChildren(), LIFT_MS);
  }
}

// What is on the page itself, without the stills.
const onPage = (selector) => [...document.querySelectorAll(`${selector}:not(.ugc-poster *)`)];
const liveMap = () => onPage(".ugc-map")[0];
const liveResults = () => onPage(".st-key-results")[0];

// Whether the map has its tiles and the results their pictures.
function isDressed() {
  const hasTiles = !liveMap()?.querySelector(".leaflet-tile:not(.leaflet-tile-loaded)");
  const hasCards = !liveResults() || onPage(".ugc-card").length > 0;
  return hasTiles && hasCards && onPage(".ugc-card img[src]").every((image) => image.complete);
}

// Copies of the map and the results that stay as and where they are, whatever becomes of the page; with their style
// sheets, which leave the page with what they are for.
function stills() {
  const sheets = onPage('link[rel=stylesheet][href^="/web/"]').map((sheet) => sheet.cloneNode());
  return [...sheets, ...[liveMap(), liveResults()].filter(Boolean).map(still)];
}

function still(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const copy = element.cloneNode(true);
  Object.assign(copy.style, { inset: "auto", left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  copy.inert = true;
  return copy;
}

// Addresses of what is shown on the map, as one text; null while there is nothing, or not yet `all` of it.
function shownPicture(all = false) {
  const pictures = onPage(".ugc-map[data-ready] .ugc-pane").map((pane) => [...pane.querySelectorAll(".ugc-heat[data-shown]")].at(-1)?.src);
  return pictures.length && (all ? pictures.every(Boolean) : pictures.some(Boolean)) ? pictures.join() : null;
}

const isTyping = (target) => target instanceof Element && Boolean(target.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]"));

const poster = new Poster();

/** Called by Streamlit on every change of data or theme. */
export function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".ugc-poster");
  if (root && data) poster.update(root, data, setTriggerValue);
}
