// Looking around from a street card: a small window over the results, beside the map. Turning and stepping fetch
// pictures and poses from the app's own addresses and never run the page; the map's cone follows over the bus.

import { tell } from "../../bus.js";
import { coordinates, el } from "../../dom.js";
import { facing, turned, TURN_DEG, written } from "./pose.js";

/** @import { Camera, Pose, StreetStep } from "../../protocol" */
/** @typedef {"ahead" | "back"} Way */

const WIDTH_PX = 896;
const MAX_STEPS = 400; // kept

export class Viewer {
  /** @type {Pose} */
  pose = { lat: 0, lng: 0, heading: 0 };
  /** @type {Camera["views"]} */
  views = { picture: "", step: "" };
  turns = false;
  place = ""; // name of the card
  street = "";
  /** @type {Map<string, Promise<StreetStep | null>>} by address; null where the street ends */
  steps = new Map();

  image = el("img", { alt: "", decoding: "async", width: WIDTH_PX, height: (WIDTH_PX * 3) / 4 });
  name = el("h2.ugc-viewer-name", { id: "ugc-viewer-name" });
  facing = el("span.ugc-viewer-facing");
  needle = el("span.ugc-viewer-needle");
  status = el("span.ugc-viewer-status", { role: "status" });
  origin = el("span.ugc-viewer-origin");
  ahead = button(".is-ahead", "Step ahead (arrow up)", "↑", () => this.step("ahead"));
  back = button(".is-back", "Step back (arrow down)", "↓", () => this.step("back"));
  frame = el("div.ugc-viewer-frame");

  /**
   * @param {HTMLDialogElement} dialog The empty one to fill.
   * @param {(pose: Pose, name: string) => void} use Called for "Use this view as query".
   */
  constructor(dialog, use) {
    this.dialog = dialog;
    this.use = use;
    this.image.addEventListener("load", () => this.settle());
    this.image.addEventListener("error", () => this.settle("This view could not be drawn."));
    this.build();
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) this.close(); // beside the window
    });
    dialog.addEventListener("close", () => tell("camera", null));
  }

  build() {
    const keys = "← → turn   ↑ ↓ walk";
    this.frame.append(
      el(
        "div.ugc-viewer-head",
        {},
        this.name,
        button(".is-close", "Close (Esc)", "×", () => this.close()),
      ),
      el(
        "div.ugc-viewer-picture",
        {},
        this.image,
        button(".is-left", "Turn left (arrow left)", "↶", () => this.turn(-TURN_DEG)),
        button(".is-right", "Turn right (arrow right)", "↷", () => this.turn(TURN_DEG)),
        this.ahead,
        this.back,
        this.status,
        this.origin,
      ),
      el(
        "div.ugc-viewer-reading",
        {},
        el("span.ugc-viewer-compass", { "aria-hidden": "true" }, this.needle),
        this.facing,
        el("span.ugc-viewer-keys", {}, keys),
      ),
      el(
        "div.ugc-viewer-actions",
        {},
        action(".is-primary", "Use this view as query", () => this.ask()),
        action("", "Show on map", () => this.showOnMap()),
      ),
    );
    this.dialog.setAttribute("aria-labelledby", "ugc-viewer-name");
    this.dialog.replaceChildren(this.frame);
  }

  /**
   * Open at a card of a street view.
   *
   * @param {Camera & { name: string }} camera
   */
  open({ pose, name, views, origin, turns }) {
    Object.assign(this, { views, turns, place: name, street: name });
    this.dialog.classList.toggle("is-fixed", !turns);
    this.credit(origin);
    if (!this.dialog.open) this.dialog.showModal();
    this.go(pose);
    this.ahead.focus({ preventScroll: true });
  }

  /** @param {string} origin Of the picture, and whom to name beside it. */
  credit(origin) {
    this.origin.textContent = origin ? origin[0].toUpperCase() + origin.slice(1) : "";
  }

  close() {
    this.dialog.close(); // the browser gives the focus back to the card
  }

  /** @param {Pose} pose */
  go(pose) {
    this.pose = pose;
    this.status.textContent = "";
    this.dialog.classList.add("is-waiting");
    this.image.src = this.address(pose);
    const looking = facing(pose.heading);
    this.image.alt = `Street view, ${this.street}, looking ${looking}`;
    this.name.textContent = this.street || this.place;
    const where = coordinates(pose, 5).join(", ");
    this.facing.textContent = `Looking ${looking}, ${Math.round(pose.heading) % 360}° · ${where}`;
    this.needle.style.transform = `rotate(${pose.heading}deg)`;
    tell("camera", { ...pose, cover: this.frame.getBoundingClientRect() });
    // Whether there is a way on is known before it is asked for, and so are the pictures one turn away.
    this.markWay("ahead", this.ahead);
    this.markWay("back", this.back);
  }

  /**
   * @param {Way} way
   * @param {HTMLElement} control
   */
  async markWay(way, control) {
    const { pose } = this;
    control.setAttribute("aria-disabled", "true");
    const next = await this.next(way);
    if (this.pose === pose) control.setAttribute("aria-disabled", String(!next));
  }

  // The picture is there: fetch those that a next key would ask for.
  async settle(problem = "") {
    this.dialog.classList.remove("is-waiting");
    if (problem) this.status.textContent = problem;
    const { pose } = this;
    if (this.turns) for (const degrees of [TURN_DEG, -TURN_DEG]) new Image().src = this.address(turned(pose, degrees));
    const next = await this.next("ahead");
    if (next && this.pose === pose) new Image().src = this.address(next);
  }

  /** @param {number} degrees */
  turn(degrees) {
    if (this.turns) this.go(turned(this.pose, degrees));
  }

  /** @param {Way} way */
  async step(way) {
    const from = this.pose;
    const next = await this.next(way);
    if (this.pose !== from || !this.dialog.open) return; // turned, stepped or closed in the meantime
    if (!next) {
      this.status.textContent = "There are no more views in this direction.";
      return;
    }
    this.street = next.street || this.place;
    this.credit(next.origin);
    this.go({ lat: next.lat, lng: next.lng, heading: next.heading });
  }

  /**
   * @param {Way} way
   * @returns {Promise<StreetStep | null>}
   */
  next(way) {
    const address = this.views.step.replace("{pose}", written(this.pose)).replace("{way}", way);
    let next = this.steps.get(address);
    if (!next) {
      if (this.steps.size > MAX_STEPS) this.steps.clear();
      next = fetch(address)
        .then((answer) => (answer.ok ? answer.json() : null))
        .catch(() => null);
      this.steps.set(address, next);
    }
    return next;
  }

  /** @param {Pose} pose */
  address(pose) {
    return this.views.picture.replace("{pose}", written(pose)).replace("{width}", String(WIDTH_PX));
  }

  ask() {
    const { pose, street } = this;
    this.close();
    this.use(pose, street || this.place);
  }

  showOnMap() {
    const cover = this.frame.getBoundingClientRect();
    const hidesTheMap = cover.width > 0.8 * window.innerWidth; // on a telephone the window lies over everything
    if (hidesTheMap) this.close();
    tell("show", { lat: this.pose.lat, lng: this.pose.lng, id: "", cover: hidesTheMap ? null : cover });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.turn(-TURN_DEG),
      ArrowRight: () => this.turn(TURN_DEG),
      ArrowUp: () => this.step("ahead"),
      ArrowDown: () => this.step("back"),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
}

/**
 * @param {string} classes
 * @param {string} label
 * @param {string} sign
 * @param {() => void} act
 */
function button(classes, label, sign, act) {
  const attributes = { type: "button", title: label, "aria-label": label, onclick: act };
  return el(`button.ugc-viewer-button${classes}`, attributes, sign);
}

/**
 * @param {string} classes
 * @param {string} label
 * @param {() => void} act
 */
function action(classes, label, act) {
  return el(`button.ugc-viewer-action${classes}`, { type: "button", onclick: act }, label);
}
