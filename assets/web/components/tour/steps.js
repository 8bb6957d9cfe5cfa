// What the guided tours say, what they point at, and which queries they ask. Each step that needs a query names it; the
// tour asks it by the controls of the page, so that what a step says is on the screen, also on the way back.

/**
 * @typedef {"point" | "words" | "both"} Asked Which query a step speaks of.
 * @typedef {object} Step
 * @property {string} title
 * @property {(where: Where) => string} text
 * @property {string} [at] Selector of what it points at: the first that is on the screen.
 * @property {Asked} [asked]
 */
/**
 * @typedef {object} Where What the texts name.
 * @property {string} words The query in words.
 * @property {string} point The point that is clicked, in words.
 */
/** @typedef {{ id: string, title: string, steps: Step[] }} Tour */

const MAP = ".ugc-map";
const LEGEND = ".ugc-legend";
const RESULTS = ".st-key-results";
const COMPARE = '[data-testid="stTopNavLink"][href$="/compare"]';

/** @type {Tour[]} */
export const TOURS = [
  {
    id: "embedding",
    title: "What is an embedding of a place?",
    steps: [
      {
        title: "A vector for every point",
        text: () =>
          "A model turns latitude and longitude into a list of numbers, the embedding of that point. In training it learned " +
          "to give a point, its pictures and its description similar lists.",
        at: MAP,
      },
      {
        title: "Similarity is a color",
        text: ({ point }) =>
          `This tour has clicked ${point}. The colors compare the embedding of that point with the embedding of every ` +
          "other one: that is the whole search.",
        at: MAP,
        asked: "point",
      },
      {
        title: "What the colors mean",
        text: () =>
          "A similarity is the cosine of the angle between two embeddings; 1 is the same direction. Drag “At least” to see " +
          "how much of the area is above a similarity.",
        at: LEGEND,
        asked: "point",
      },
      {
        title: "One space for all modalities",
        text: () =>
          "Pictures and texts have embeddings in the same space, so one query finds all of them. The closest of each " +
          "modality are listed here; “As query” asks by one of them.",
        at: RESULTS,
        asked: "point",
      },
      {
        title: "Every model has its own",
        text: () =>
          "Another model gives other numbers to the same point. The page Compare shows what several have learned.",
        at: COMPARE,
      },
    ],
  },
  {
    id: "where-what",
    title: "Where versus what",
    steps: [
      {
        title: "Two questions",
        text: () =>
          "An embedding may hold where a point is, what is there, or both. This tour asks for one after the other, so " +
          "that you can compare the maps.",
        at: MAP,
      },
      {
        title: "By a place",
        text: ({ point }) =>
          `These are the similarities to ${point}. If only the surroundings are similar, the model knows where; if far places are ` +
          "similar as well, it knows what they have in common.",
        at: MAP,
        asked: "point",
      },
      {
        title: "By words",
        text: ({ words }) =>
          `Now the query is “${words}”. Words name no position: what is similar here is so for what it is, or for what ` +
          "texts say of such places.",
        at: MAP,
        asked: "words",
      },
      {
        title: "Both at once",
        text: () =>
          "“+ more like” has added the point to the words; each has a weight. Open one of them to change its weight: below " +
          "zero it means less like this.",
        at: '.st-key-chips, [class*="st-key-whole-chip"]',
        asked: "both",
      },
      {
        title: "Measured",
        text: () =>
          "How much of a model is position alone? The page Compare tells it in numbers, and shows where two models disagree.",
        at: COMPARE,
      },
    ],
  },
  {
    id: "own-query",
    title: "Your own query",
    steps: [
      {
        title: "Words",
        text: () => "Describe what you look for in a few words and press Enter.",
        at: ".st-key-words",
      },
      {
        title: "The answer",
        text: ({ words }) =>
          `This tour has typed “${words}” for you. The closest places are listed here, and on the map.`,
        at: RESULTS,
        asked: "words",
      },
      {
        title: "More and less",
        text: () =>
          "What you click, type or upload next makes a new query, or is added to this one with “+ more like” or “− less like”.",
        at: ".st-key-join",
        asked: "words",
      },
      {
        title: "Find a place",
        text: () => "Type a name or coordinates: the map moves there and asks by that point, as a click does.",
        at: ".ugc-find",
      },
      {
        title: "Your own data",
        text: () => "“Image” asks by a picture of yours; “Points” shows a table of yours on the map.",
        at: ".st-key-image",
      },
      {
        title: "Keep it",
        text: () => "“Display” changes what is shown; “Export” has a link to exactly this query, and files of it.",
        at: ".st-key-take",
        asked: "words",
      },
    ],
  },
];

/**
 * The query that is on the screen at a step: its own, or the last one before it.
 *
 * @param {Step[]} steps
 * @param {number} at
 * @returns {Asked | null}
 */
export function askedAt(steps, at) {
  return steps.slice(0, at + 1).reduce((asked, step) => step.asked ?? asked, /** @type {Asked | null} */ (null));
}

/**
 * Where a card stands beside what it points at: below it, above it, or in the lower right corner.
 *
 * @param {{ left: number, top: number, right: number, bottom: number }} target
 * @param {{ width: number, height: number }} card
 * @param {{ width: number, height: number }} window
 */
export function placeOf(target, card, window) {
  const gap = 12;
  const left = Math.max(gap, Math.min(target.left, window.width - card.width - gap));
  if (target.bottom + gap + card.height <= window.height) return { left, top: target.bottom + gap };
  if (target.top - gap - card.height >= 0) return { left, top: target.top - gap - card.height };
  return { left: window.width - card.width - gap, top: window.height - card.height - gap };
}
