// Places that are like the query, by modality: pictures out of sprites, and captions.

import { coordinates, el } from "../dom.js";
import { closest } from "./vectors.js";

/** @import { Atlas, Example, Item, PointVector } from "./page" */
/** @import { Parts } from "./parts.js" */

const SHOWN = 4;
const TITLES = /** @type {Record<string, string>} */ ({
  aerial: "Aerial images",
  street: "Street views",
  surface: "Surface models",
  text: "Texts",
});

export class Results {
  /**
   * @param {Parts} parts
   * @param {Atlas} atlas
   * @param {{ choose: (item: Item) => void, light: (item: Item | null) => void }} acts
   */
  constructor(parts, atlas, acts) {
    this.parts = parts;
    this.atlas = atlas;
    this.acts = acts;
    /** @type {Map<string, Int8Array>} */
    this.codes = new Map();
    /** @type {Map<string, string>} addresses of sprites, by part */
    this.sprites = new Map();
    this.note = el("p.site-results-note");
    this.lists = el("div.site-results-lists");
    this.element = el("section.site-results", { "aria-label": "Places like the query" }, this.lists, this.note);
  }

  /** Fetch vectors and pictures. */
  async load() {
    const { codes, modalities } = this.atlas.gallery;
    const all = new Int8Array(await this.parts.bytes(codes));
    const components = this.atlas.models[0].components;
    for (const { sprites } of this.atlas.examples) {
      for (const part of Object.values(sprites ?? {})) this.sprites.set(part, await this.parts.picture(part));
    }
    let start = 0;
    for (const [name, { items, sprite }] of Object.entries(modalities)) {
      this.codes.set(name, all.subarray(start, start + items.length * components));
      start += items.length * components;
      if (sprite) this.sprites.set(sprite, await this.parts.picture(sprite));
    }
  }

  /** @param {Example} example */
  showExample(example) {
    this.draw(Object.entries(example.results), example);
    const count = this.places("aerial")?.count ?? 0;
    this.note.textContent = `The closest of all ${count.toLocaleString("en")} places, found by the app when this was made.`;
  }

  /** @param {PointVector} point */
  showPoint(point) {
    /** @type {[string, Item[]][]} */
    const found = [];
    for (const [name, places] of Object.entries(this.atlas.gallery.modalities)) {
      const codes = this.codes.get(name);
      if (!codes) return; // not loaded yet
      const best = closest(point, places, codes, SHOWN);
      /** @type {(closest: { number: number, similarity: number }) => Item} */
      const item = ({ number, similarity }) => {
        const [title, lat, lng, shown] = places.items[number];
        return [title, lat, lng, shown, similarity];
      };
      found.push([name, best.map(item)]);
    }
    this.draw(found);
    const [first] = Object.values(this.atlas.gallery.modalities);
    this.note.textContent =
      `The closest of ${first.items.length} places whose pictures are kept here; the app searches ` +
      `all ${first.count.toLocaleString("en")}.`;
  }

  /** @param {string} name */
  places(name) {
    return this.atlas.gallery.modalities[name] ?? Object.values(this.atlas.gallery.modalities)[0];
  }

  /**
   * @param {[string, Item[]][]} found
   * @param {Example} [example] Whose results they are.
   */
  draw(found, example) {
    this.lists.replaceChildren(
      ...found.map(([name, items]) =>
        el(
          "section.site-result",
          { "aria-label": TITLES[name] },
          el("h3", {}, TITLES[name]),
          el(`ul.site-items.is-${name}`, {}, ...items.slice(0, SHOWN).map((item) => this.item(name, item, example))),
        ),
      ),
    );
  }

  /**
   * @param {string} name
   * @param {Item} item
   * @param {Example} [example]
   */
  item(name, item, example) {
    const [title, lat, lng, shown, similarity] = item;
    const figure = similarity === undefined ? "" : similarity.toFixed(2).replace("-", "−");
    const where = coordinates({ lat, lng }, this.atlas.isCity ? 4 : 2).join(", ");
    const label = `${title || where}, similarity ${figure}. Show what is like this place.`;
    const inside = typeof shown === "string" ? el("span.site-caption", {}, shown) : this.tile(name, shown, example);
    const light = (/** @type {Item | null} */ lit) => () => this.acts.light(lit);
    return el(
      "li",
      {},
      el(
        "button.site-item",
        {
          type: "button",
          title: title || where,
          "aria-label": typeof shown === "string" ? null : label, // a caption says it itself
          onclick: () => this.acts.choose(item),
          onmouseenter: light(item),
          onfocus: light(item),
          onmouseleave: light(null),
          onblur: light(null),
        },
        inside,
        el("span.site-figure", {}, figure),
      ),
    );
  }

  /**
   * @param {string} name
   * @param {number} number
   * @param {Example} [example]
   */
  tile(name, number, example) {
    const { tile, columns = 1, sprite } = this.atlas.gallery.modalities[name];
    const [width, height] = tile ?? [1, 1];
    const own = example?.sprites?.[name];
    const url = this.sprites.get(own ?? sprite ?? "");
    const picture = el("span.site-picture");
    picture.style.aspectRatio = `${width} / ${height}`;
    if (!url) return picture;
    const rows = Math.ceil((own ? tilesOf(example?.results[name] ?? []) : this.tiles(name)) / columns);
    picture.style.backgroundImage = `url(${url})`;
    picture.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
    // In percent of what the sheet is larger than the tile.
    const x = ((number % columns) / Math.max(1, columns - 1)) * 100;
    const y = (Math.floor(number / columns) / Math.max(1, rows - 1)) * 100;
    picture.style.backgroundPosition = `${x}% ${y}%`;
    return picture;
  }

  /** How many tiles the sprite of a modality has. @param {string} name */
  tiles(name) {
    const shared = this.atlas.examples.filter(({ sprites }) => !sprites?.[name]);
    const items = shared.flatMap(({ results }) => results[name] ?? []);
    return tilesOf([...this.atlas.gallery.modalities[name].items, ...items]);
  }
}

/** @param {Item[]} items */
const tilesOf = (items) => Math.max(0, ...items.map((item) => Number(item[3]))) + 1;
