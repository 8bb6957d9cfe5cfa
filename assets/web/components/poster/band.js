// What poster mode draws: the offer in the header, the band with caption, progress and QR code, the notice while it
// rests, and the veil between two maps.

import { tell } from "../../bus.js";
import { el } from "../../dom.js";
import { stills } from "./live.js";

/** @import { PosterScene } from "../../protocol" */
/** @import { Phase } from "./playback.js" */

const LIFT_MS = 300; // the veil's transition, and a little
const HINT = "Touch the screen or press a key to take over.";

/**
 * The address that a phone opens, which cannot be one that means "this machine"; null where there is none.
 *
 * @param {{ hostname: string, origin: string }} location
 * @param {string} machine Address at which others reach this machine, or "".
 * @returns {string | null}
 */
export function phoneOrigin({ hostname, origin }, machine) {
  const here = ["localhost", "[::1]"].includes(hostname) || hostname.startsWith("127.");
  return (here ? machine : origin) || null;
}

export class Band {
  bar = el("div.ugc-poster-bar");
  words = el("div.ugc-poster-words");
  phone = el("figure.ugc-poster-phone", { hidden: "" });
  restWords = el("span");
  veilSheet = el("div.ugc-poster-veil", { "aria-hidden": "true" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  lifting = undefined;

  /** @param {{ start: () => void, play: () => void, pause: () => void, leave: () => void }} acts */
  constructor({ start, play, pause, leave }) {
    const track = el("div.ugc-poster-track", { "aria-hidden": "true" }, this.bar);
    const labels = { "aria-label": "Poster mode", hidden: "" };
    this.band = el("section.ugc-poster-band", { ...labels, onclick: pause }, track, this.words, this.phone);
    this.rest = el(
      "section.ugc-poster-rest",
      labels,
      this.restWords,
      button("Play now", {}, play),
      button("Leave", { title: "Leave poster mode (Escape)" }, leave),
    );
    const meaning = "Plays the examples automatically, for a large screen (Shift+P; Escape ends it)";
    const offer = button("Poster mode", { title: meaning, "aria-keyshortcuts": "Shift+P" }, start);
    offer.append(el("kbd", { "aria-hidden": "true" }, "⇧P"));
    const how = "How to use this page";
    const help = button("?", { title: how, "aria-label": how }, () => tell("intro", {}));
    help.classList.add("ugc-poster-help");
    this.offer = el("div.ugc-poster-offer", {}, help, offer);
  }

  /**
   * Draw in another element of the page, as it stands.
   *
   * @param {HTMLElement} root
   */
  mount(root) {
    root.replaceChildren(this.offer, this.veilSheet, this.band, this.rest);
  }

  /** @param {Phase} phase */
  setPhase(phase) {
    const page = document.documentElement.classList;
    page.toggle("is-poster", phase !== "off");
    page.toggle("is-playing", phase === "playing");
    this.band.hidden = phase !== "playing";
    this.rest.hidden = phase !== "paused";
  }

  /** @param {number} seconds */
  resting(seconds) {
    this.restWords.textContent = `Poster mode is waiting. Playing again in ${seconds} s`;
  }

  /**
   * What comes next and for how long it has been worked on, so that nobody takes a slow scene for a broken page; null
   * when it is there.
   *
   * @param {PosterScene | null} scene
   * @param {number} milliseconds
   */
  awaited(scene, milliseconds) {
    this.band.classList.toggle("is-waiting", scene !== null);
    const seconds = Math.max(1, Math.round(milliseconds / 1000));
    const text = scene ? `Next: ${scene.title}. Computing, ${seconds} s` : HINT;
    const hint = this.words.querySelector(".ugc-poster-hint");
    if (hint && hint.textContent !== text) hint.textContent = text;
  }

  /**
   * @param {PosterScene} scene
   * @param {string} number
   * @param {string | null} origin For the phone, where there is no static site.
   */
  caption(scene, number, origin) {
    this.words.replaceChildren(
      el("p.ugc-poster-place", {}, scene.place, el("span", {}, number)),
      el("h2.ugc-poster-title", {}, scene.title),
      el("p.ugc-poster-caption", {}, scene.caption),
      el("p.ugc-poster-hint", {}, HINT),
    );
    const address = scene.site || (origin && `${origin}${scene.address}`);
    this.phone.hidden = !address;
    if (!address || this.phone.dataset.address === address) return;
    this.phone.dataset.address = address;
    this.phone.replaceChildren(
      el("img", { src: `/data/qr.svg?address=${encodeURIComponent(address)}`, alt: `QR code of ${address}` }),
      el(
        "figcaption",
        {},
        scene.site ? "Take this map with you" : "Open this on your phone",
        el("span", {}, new URL(address).host),
      ),
    );
  }

  /** @param {number} share */
  progress(share) {
    // Without motion the bar moves in few steps.
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const part = Math.min(1, still ? Math.floor(share * 4) / 4 : share);
    this.bar.style.transform = `scaleX(${part})`;
    this.bar.classList.toggle("is-still", still || share === 0);
  }

  /**
   * The veil carries a still of what was shown last, so that nobody looks at an empty or half drawn window.
   *
   * @param {boolean} on
   * @param {boolean} [hold]
   */
  veil(on, hold = false) {
    clearTimeout(this.lifting);
    this.veilSheet.classList.toggle("is-on", on);
    if (on) this.veilSheet.replaceChildren(...(hold ? stills() : [el("p", {}, "Opening the map …")]));
    else this.lifting = setTimeout(() => this.veilSheet.replaceChildren(), LIFT_MS);
  }
}

/**
 * @param {string} label
 * @param {Record<string, string>} attributes
 * @param {() => void} act
 */
function button(label, attributes, act) {
  return el("button.ugc-poster-button", { type: "button", onclick: act, ...attributes }, label);
}
