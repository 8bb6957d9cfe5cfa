// The clock of poster mode: which scene is asked for, awaited and shown when, and when the loop rests. It knows neither
// the page nor Python; both are its `Stage`. Times are milliseconds of `performance.now()`, handed in.

/** @import { PosterScene } from "../../protocol" */
/** @typedef {"off" | "playing" | "paused"} Phase */

/**
 * @typedef {object} Stage What playback sees of the page, and has it do.
 * @property {(phase: Phase) => void} setPhase
 * @property {(at: number) => void} ask Ask Python for a scene.
 * @property {() => void} leave Tell Python that poster mode has ended.
 * @property {(at: number) => void} reopen Open the page again at a scene, if the server is there.
 * @property {() => void} frame Show the whole atlas in the window.
 * @property {() => void} goHome Show the whole atlas, when the map has the size it has on its page.
 * @property {(scene: PosterScene, number: string) => void} caption
 * @property {(share: number) => void} progress How much of the scene's time is over.
 * @property {(scene: PosterScene | null, milliseconds: number) => void} awaited What comes next, and for how long it
 *   has been worked on; null when it is there.
 * @property {(seconds: number) => void} resting When it plays again.
 * @property {(on: boolean, hold?: boolean) => void} veil Cover the map; `hold` with a still of what was shown last.
 * @property {() => unknown} map Another one is another map.
 * @property {(all: boolean) => string | null} picture What is shown on the map, on `all` of its panes or on any.
 * @property {() => boolean} isDressed Whether the base map and the cards are there as well.
 */

export const SCENE_MS = 14_000;
export const REST_MS = 60_000;
export const ANSWER_MS = 15_000; // then the scene is asked for again
export const PICTURE_MS = 60_000; // an atlas that is opened for the first time takes that long
export const MISSES = 3; // questions without an answer, before the page is opened again
const ALL_MS = 12_000; // so long all panes of a map are waited for, then any
const FADE_MS = 3_000; // a map that stays fades by itself: its next picture is not waited for longer
const SETTLE_MS = 1_000;
const DRESS_MS = 2_500; // so long the map below the heatmap and the cards beside it are waited for
const LIFE_MS = 800; // a scene that takes longer to come says so

export class Playback {
  /** @type {PosterScene[]} */
  scenes = [];
  /** @type {Phase} */
  phase = "off";
  at = -1; // the scene that was asked for last
  misses = 0;
  answered = false; // Python has begun to show it
  shown = false;
  settled = false; // framed once more since it is shown
  newMap = false; // it is on another map than the one before
  framedAt = 0;
  askedAt = 0;
  wantedAt = 0; // asked for first
  shownAt = 0;
  touchedAt = 0;
  /** @type {unknown} */
  oldMap = null;
  /** @type {string | null} */
  oldPicture = null;

  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /** @param {number} now */
  start(now) {
    this.misses = 0;
    this.play(now);
  }

  /** @param {number} now */
  play(now) {
    this.setPhase("playing");
    this.go(now, true);
  }

  /** @param {number} now */
  pause(now) {
    this.stage.awaited(null, 0);
    this.touchedAt = now;
    this.stage.veil(false);
    this.setPhase("paused");
    this.tick(now);
    this.stage.goHome();
  }

  leave() {
    this.stage.veil(false);
    if (this.phase === "playing") this.stage.goHome();
    this.setPhase("off");
    this.stage.leave();
  }

  /**
   * Somebody is at the page: the rest begins again.
   *
   * @param {number} now
   */
  touch(now) {
    this.touchedAt = now;
  }

  /** @param {Phase} phase */
  setPhase(phase) {
    this.phase = phase;
    this.stage.setPhase(phase);
  }

  /**
   * Ask for the next scene.
   *
   * @param {number} now
   * @param {boolean} [cut] Nothing of the page before is worth holding.
   */
  go(now, cut = false) {
    const before = this.scenes[this.at];
    this.at = (this.at + 1) % this.scenes.length;
    const scene = this.scenes[this.at];
    this.answered = this.shown = false;
    this.framedAt = 0;
    this.askedAt = this.wantedAt = now;
    this.oldMap = this.stage.map();
    this.oldPicture = this.stage.picture(false);
    this.newMap = !before || before.page !== scene.page || before.atlas !== scene.atlas;
    if (this.newMap) this.stage.veil(true, !cut);
    if (!before) this.caption();
    this.stage.ask(this.at);
  }

  /**
   * Python has begun to show a scene.
   *
   * @param {number | null} at
   */
  answer(at) {
    if (this.phase !== "playing" || this.answered || at !== this.at) return;
    this.answered = true;
    this.misses = 0;
  }

  /** @param {number} now */
  tick(now) {
    if (this.phase === "paused") this.rest(now);
    else if (this.phase === "playing" && !this.shown) this.wait(now);
    else if (this.phase === "playing") this.run(now);
  }

  /** @param {number} now */
  rest(now) {
    const left = Math.ceil((REST_MS - (now - this.touchedAt)) / 1000);
    if (left <= 0) this.play(now);
    else this.stage.resting(left);
  }

  /** @param {number} now */
  run(now) {
    const share = (now - this.shownAt) / SCENE_MS;
    this.stage.progress(share);
    if (!this.settled && now - this.shownAt > SETTLE_MS) this.frame(now);
    if (share >= 1) this.go(now);
  }

  /** @param {number} now */
  wait(now) {
    const waited = now - this.askedAt;
    if (waited > LIFE_MS) this.stage.awaited(this.scenes[this.at], now - this.wantedAt);
    if (!this.answered) {
      if (waited > ANSWER_MS) this.miss(now);
      return;
    }
    const picture = this.stage.picture(waited < ALL_MS);
    const isNew = picture !== this.oldPicture || (this.newMap ? this.stage.map() !== this.oldMap : waited > FADE_MS);
    if (!(picture && isNew) && waited <= PICTURE_MS) return;
    if (!this.framedAt) this.frame(now);
    else if (!this.newMap || this.stage.isDressed() || now - this.framedAt > DRESS_MS) this.reveal(now);
  }

  /** @param {number} now */
  reveal(now) {
    this.shown = true;
    this.stage.awaited(null, 0);
    this.shownAt = now;
    this.settled = false;
    this.caption();
    this.stage.progress(0);
    this.stage.veil(false);
  }

  /**
   * The whole atlas in the window; once more when a slow page has come to rest.
   *
   * @param {number} now
   */
  frame(now) {
    this.settled = true;
    this.framedAt = now;
    this.stage.frame();
  }

  /**
   * Nobody answered: the server is away, or was restarted and does not know this page any more.
   *
   * @param {number} now
   */
  miss(now) {
    this.misses += 1;
    this.askedAt = now;
    if (this.misses < MISSES) {
      this.stage.ask(this.at);
      return;
    }
    this.misses = 0;
    this.stage.reopen(this.at);
  }

  caption() {
    this.stage.caption(this.scenes[this.at], `${this.at + 1} of ${this.scenes.length}`);
  }
}
