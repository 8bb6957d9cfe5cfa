import assert from "node:assert/strict";
import test from "node:test";

import {
  ANSWER_MS,
  MISSES,
  PICTURE_MS,
  Playback,
  REST_MS,
  SCENE_MS,
} from "../../assets/web/components/poster/playback.js";

const TICK_MS = 250;
const SCENES = [
  { page: "explore", atlas: "world" },
  { page: "explore", atlas: "world" },
  { page: "compare", atlas: "boston" },
].map((scene, i) => ({ ...scene, place: "", title: `scene ${i}`, caption: "", address: `/?scene=${i}` }));

/** A page that notes what it is told; `map`, `picture` and `dressed` are what it shows. */
class FakeStage {
  log = [];
  shownMap = "map 0";
  shownPicture = null;
  dressed = true;
  waiting = false;

  note = (...entry) => this.log.push(entry.join(" "));
  setPhase = (phase) => this.note(phase);
  ask = (at) => this.note("ask", at);
  leave = () => this.note("leave");
  reopen = (at) => this.note("reopen", at);
  frame = () => this.note("frame");
  goHome = () => this.note("home");
  caption = (scene, number) => this.note("caption", number);
  progress = () => {};
  awaited = (scene) => (this.waiting = scene !== null);
  resting = (seconds) => (this.seconds = seconds);
  veil = (on, hold = false) => this.note("veil", on ? (hold ? "with a still" : "empty") : "off");
  map = () => this.shownMap;
  picture = () => this.shownPicture;
  isDressed = () => this.dressed;

  /** What has been noted since the last call. */
  get news() {
    return this.log.splice(0);
  }
}

class Loop {
  stage = new FakeStage();
  playback = new Playback(this.stage);
  now = 1000;

  constructor(scenes = SCENES) {
    this.playback.scenes = scenes;
    this.playback.start(this.now);
  }

  wait(milliseconds) {
    for (const end = this.now + milliseconds; this.now < end;) {
      this.now += TICK_MS;
      this.playback.tick(this.now);
    }
  }

  /** Python and the map do what the scene asks for. */
  answer(picture, map = this.stage.shownMap) {
    Object.assign(this.stage, { shownPicture: picture, shownMap: map });
    this.playback.answer(this.playback.at);
    this.wait(2 * TICK_MS);
  }
}

test("a scene is asked for, framed and shown, and after its time the next one", () => {
  const loop = new Loop();
  assert.deepEqual(loop.stage.news, ["playing", "veil empty", "caption 1 of 3", "ask 0"]);
  loop.answer("picture 0", "map 1");
  assert.deepEqual(loop.stage.news, ["frame", "caption 1 of 3", "veil off"]);
  loop.wait(SCENE_MS);
  assert.deepEqual(loop.stage.news, ["frame", "ask 1"], "framed once more when the page has come to rest");
});

test("the loop goes round", () => {
  const loop = new Loop();
  const asked = [];
  for (let i = 0; i < 4; i++) {
    loop.answer(`picture ${i}`, i % 3 === 2 ? "other map" : "map 1");
    assert.ok(loop.playback.shown, `scene ${i}`);
    loop.wait(SCENE_MS);
    asked.push(...loop.stage.news.filter((entry) => entry.startsWith("ask")));
  }
  assert.deepEqual(asked, ["ask 0", "ask 1", "ask 2", "ask 0", "ask 1"]);
});

test("a scene on the same map needs no veil; one on another map comes from behind a still", () => {
  const loop = new Loop();
  loop.answer("picture 0");
  loop.wait(SCENE_MS);
  loop.stage.log = [];
  loop.answer("picture 1");
  loop.wait(SCENE_MS);
  const news = loop.stage.news;
  assert.ok(!news.includes("veil empty"));
  assert.deepEqual(news.slice(-2), ["veil with a still", "ask 2"]);
});

test("the old picture is not taken for the answer", () => {
  const loop = new Loop();
  loop.answer("picture 0");
  loop.wait(SCENE_MS);
  loop.playback.answer(1);
  loop.wait(2000);
  assert.equal(loop.playback.shown, false, "the map still shows the scene before");
  assert.ok(loop.stage.waiting, "which is said");
  loop.answer("picture 1");
  assert.ok(loop.playback.shown);
  assert.ok(!loop.stage.waiting);
});

test("an answer to another scene is none", () => {
  const loop = new Loop();
  loop.playback.answer(2);
  assert.equal(loop.playback.answered, false);
  loop.playback.answer(null);
  assert.equal(loop.playback.answered, false);
});

test("another map waits until it is dressed, but not for ever", () => {
  const loop = new Loop();
  loop.stage.dressed = false;
  loop.answer("picture 0", "map 1");
  assert.equal(loop.playback.shown, false);
  loop.wait(3000);
  assert.ok(loop.playback.shown);
});

test("a picture that never comes holds nobody up for ever", () => {
  const loop = new Loop();
  loop.playback.answer(0);
  loop.wait(PICTURE_MS - 1000);
  assert.equal(loop.playback.shown, false);
  loop.wait(2000);
  assert.ok(loop.playback.shown);
});

test("a server that does not answer is asked again, then the page is opened again", () => {
  const loop = new Loop();
  loop.stage.log = [];
  loop.wait((MISSES - 1) * (ANSWER_MS + TICK_MS));
  assert.deepEqual(loop.stage.news, Array(MISSES - 1).fill("ask 0"));
  loop.wait(ANSWER_MS + TICK_MS);
  assert.deepEqual(loop.stage.news, ["reopen 0"]);
  loop.playback.answer(0);
  assert.equal(loop.playback.misses, 0);
});

test("paused, it plays on when nobody has touched the page for a while", () => {
  const loop = new Loop();
  loop.answer("picture 0");
  loop.stage.log = [];
  loop.playback.pause(loop.now);
  assert.deepEqual(loop.stage.news, ["veil off", "paused", "home"]);
  assert.equal(loop.stage.seconds, REST_MS / 1000);
  loop.wait(REST_MS - 1000);
  loop.playback.touch(loop.now);
  loop.wait(REST_MS - 1000);
  assert.equal(loop.playback.phase, "paused", "a touch begins the rest again");
  loop.wait(1000);
  assert.equal(loop.playback.phase, "playing");
  assert.equal(loop.playback.at, 1);
});

test("leaving tells Python and asks for nothing more", () => {
  const loop = new Loop();
  loop.answer("picture 0");
  loop.stage.log = [];
  loop.playback.leave();
  assert.deepEqual(loop.stage.news, ["veil off", "home", "off", "leave"]);
  loop.wait(10 * SCENE_MS);
  assert.deepEqual(loop.stage.news, []);
});
