// Looking around from a street card: a small window over the results, beside the map. Turning and stepping fetch pictures
// and poses from the app's own addresses and never run the page; the map's cone follows over the bus.
//
// A pose is {lat, lng, heading}; heading is where the middle of the picture looks, in degrees clockwise from north.

import { tell } from "../../bus.js";
import { el } from "../map/controls.js";

const TURN_DEG = 45;
const COMPASS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
const written = ({ lat, lng, heading }) => `${lat.toFixed(6)},${lng.toFixed(6)},${heading.toFixed(0)}`;
const turned = (pose, degrees) => ({ ...pose, heading: (pose.heading + degrees + 360) % 360 });

export class Viewer {
  /** `dialog` is the empty <dialog> to fill; `use(pose, name)` is called for "Use this view as query". */
  constructor(dialog, use) {
    this.dialog = dialog;
    this.use = use;
    this.steps = new Map(); // address -> promise of the next pose, or of null where the street ends
    this.build();
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => event.target === dialog && this.close()); // beside the window
    dialog.addEventListener("close", () => this.closed());
  }

  build() {
    const button = (selector, label, sign, act) =>
      el(`button.ugc-viewer-button${selector}`, { type: "button", title: label, "aria-label": label, onclick: act }, sign);
    this.image = el("img", { alt: "", decoding: "async", width: 896, height: 672 });
    this.image.addEventListener("load", () => this.settle());
    this.image.addEventListener("error", () => this.settle("This view could not be drawn."));
    this.name = el("h2.ugc-viewer-name", { id: "ugc-viewer-name" });
    this.facing = el("span.ugc-viewer-facing");
    this.needle = el("span.ugc-viewer-needle");
    this.status = el("span.ugc-viewer-status", { role: "status" });
    this.origin = el("span.ugc-viewer-origin");
    this.ahead = button(".is-ahead", "Step ahead (arrow up)", "↑", () => this.step("ahead"));
    this.back = button(".is-back", "Step back (arrow down)", "↓", () => this.step("back"));
    this.dialog.setAttribute("aria-labelledby", "ugc-viewer-name");
    this.dialog.replaceChildren(
      el(
        "div.ugc-viewer-frame",
        {},
        el("div.ugc-viewer-head", {}, this.name, button(".is-close", "Close (Esc)", "×", () => this.close())),
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
          el("span.ugc-viewer-keys", {}, "← → turn   ↑ ↓ walk"),
        ),
        el(
          "div.ugc-viewer-actions",
          {},
          el("button.ugc-viewer-action.is-primary", { type: "button", onclick: () => this.ask() }, "Use this view as query"),
          el("button.ugc-viewer-action", { type: "button", onclick: () => this.showOnMap() }, "Show on map"),
        ),
      ),
    );
  }

  /** Open at a card: {pose, name, views: {picture, step}, origin, turns}; photos do not turn. */
  open({ pose, name, views, origin, turns }) {
    Object.assign(this, { views, turns, place: name, street: name });
    this.dialog.classList.toggle("is-fixed", !turns);
    this.origin.textContent = origin ? origin[0].toUpperCase() + origin.slice(1) : "";
    if (!this.dialog.open) this.dialog.showModal();
    this.go(pose);
    this.image.closest(".ugc-viewer-picture").querySelector(".is-ahead").focus({ preventScroll: true });
  }

  close() {
    this.dialog.close(); // the browser gives the focus back to the card
  }

  closed() {
    tell("camera", null);
  }

  go(pose) {
    this.pose = pose;
    this.status.textContent = "";
    this.dialog.classList.add("is-waiting");
    this.image.src = this.address(pose);
    const looking = COMPASS[Math.round(pose.heading / TURN_DEG) % 8];
    this.image.alt = `Street view, ${this.street}, looking ${looking}`;
    this.name.textContent = this.street || this.place;
    const side = (value, positive, negative) => `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
    const where = `${side(pose.lat, "N", "S")}, ${side(pose.lng, "E", "W")}`;
    this.facing.textContent = `Looking ${looking}, ${Math.round(pose.heading) % 360}° · ${where}`;
    this.needle.style.transform = `rotate(${pose.heading}deg)`;
    tell("camera", { ...pose, cover: this.dialog.querySelector(".ugc-viewer-frame").getBoundingClientRect() });
    // Whether there is a way on is known before it is asked for, and so are the pictures one turn away.
    for (const [way, control] of [["ahead", this.ahead], ["back", this.back]]) {
      control.setAttribute("aria-disabled", "true");
      this.next(way).then((next) => this.pose === pose && control.setAttribute("aria-disabled", String(!next)));
    }
  }

  // The picture is there: fetch those that a next key would ask for.
  settle(problem = "") {
    this.dialog.classList.remove("is-waiting");
    if (problem) this.status.textContent = problem;
    const pose = this.pose;
    for (const degrees of this.turns ? [TURN_DEG, -TURN_DEG] : []) new Image().src = this.address(turned(pose, degrees));
    this.next("ahead").then((next) => next && this.pose === pose && (new Image().src = this.address(next)));
  }

  turn(degrees) {
    if (this.turns) this.go(turned(this.pose, degrees));
  }

  async step(way) {
    const from = this.pose;
    const next = await this.next(way);
    if (this.pose !== from || !this.dialog.open) return; // turned, stepped or closed in the meantime
    if (!next) {
      this.status.textContent = "No way on in this direction.";
      return;
    }
    this.street = next.street || this.place;
    this.go({ lat: next.lat, lng: next.lng, heading: next.heading });
  }

  next(way) {
    const address = this.views.step.replace("{pose}", written(this.pose)).replace("{way}", way);
    if (!this.steps.has(address)) {
      if (this.steps.size > 400) this.steps.clear();
      const found = fetch(address).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
      this.steps.set(address, found);
    }
    return this.steps.get(address);
  }

  address(pose) {
    return this.views.picture.replace("{pose}", written(pose)).replace("{width}", "896");
  }

  ask() {
    const { pose, street } = this;
    this.close();
    this.use(pose, street || this.place);
  }

  showOnMap() {
    const cover = this.dialog.querySelector(".ugc-viewer-frame").getBoundingClientRect();
    const hidesTheMap = cover.width > 0.8 * window.innerWidth; // on a telephone the window lies over everything
    if (hidesTheMap) this.close();
    tell("show", { lat: this.pose.lat, lng: this.pose.lng, id: "", cover: hidesTheMap ? null : cover });
  }

  key(event) {
    const act = {
      ArrowLeft: () => this.turn(-TURN_DEG),
      ArrowRight: () => this.turn(TURN_DEG),
      ArrowUp: () => this.step("ahead"),
      ArrowDown: () => this.step("back"),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
}

