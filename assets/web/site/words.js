// What legends say.

/** @import { Legend } from "../protocol" */
/** @import { Example, Model } from "./page" */

const BAR_STOPS = 16;

/** @param {number} value */
const figure = (value) => value.toFixed(2).replace("-", "−");

/**
 * How far the heatmaps of this page are from exact ones.
 *
 * @param {Model} model
 * @param {string} kind Of the query.
 */
export function about(model, kind) {
  const error = model.errors[kind] ?? model.errors.points;
  const how = `About: ${model.components} of ${model.dim} dimensions, computed in this browser.`;
  if (!error) return `${how} The model tells no places apart here.`;
  return (
    `${how} Against exact heatmaps: ` +
    `correlation ${error.correlation.toFixed(3)}, ${Math.round(100 * error.overlap)} % of the hottest 1 % (medians).`
  );
}

/**
 * @param {Model} model
 * @param {string[]} colors
 * @param {Example | null} example What is asked; null for a point.
 * @param {boolean} isBest Whether the model, which has no words, shows the best point of ours instead.
 * @returns {Legend}
 */
export function similarityLegend(model, colors, example, isBest) {
  const isWords = example !== null && example.at === null && !isBest;
  const limits = isWords ? example.limits : model.limits;
  /** @type {[number, number, string][]} */
  const stops = [];
  for (let i = 0; i <= BAR_STOPS; i++) {
    stops.push([i / BAR_STOPS, 0, colors[Math.round((i / BAR_STOPS) * (colors.length - 1))]]);
  }
  const note = isBest ? "This model reads no words: it shows what is like the best point of UniGeoCLIP. " : "";
  const notes = isWords && example.notes.length ? `${example.notes.join(" ")} ` : "";
  const title = isWords ? "Similarity to the query" : `Similarity to the ${isBest ? "best point" : "point"}`;
  const words = notes + note + about(model, isWords ? "texts" : "points");
  if (!limits) return { title, stops, low: "less similar", high: "more similar", words };
  const [low, high, chance] = limits;
  const at = Math.min(1, Math.max(0, (chance - low) / (high - low)));
  return {
    title,
    stops,
    ticks: [
      [0, figure(low)],
      [1, figure(high)],
    ],
    marks: at < 1 ? [[at, "chance"]] : [],
    low: "as unrelated places",
    high: at < 1 ? "as held-out matches" : "as the best of 1,000 unrelated",
    words,
  };
}

/**
 * @param {Model} model
 * @returns {Legend}
 */
export function colorsLegend(model) {
  return {
    title: "Principal components as colors",
    words:
      `The first three of ${model.title}, as red, green and blue. Like colors are like places; models are turned so ` +
      "that colors agree where they do. Gray: little differs.",
  };
}
