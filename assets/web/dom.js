// Helpers for everything that is drawn: elements, and positions as people read them.

/**
 * @template {string} Tag
 * @typedef {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement} ElementOf
 */

/**
 * @template {string} Selector
 * @typedef {Selector extends `${infer Tag}.${string}` ? ElementOf<Tag> : ElementOf<Selector>} Selected
 */

/**
 * Build an element: `el("div.class", { attribute: value }, ...children)`. Attributes that begin with "on" are
 * listeners; those and children that are null or undefined are left out.
 *
 * @template {string} Selector
 * @param {Selector} selector
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {Selected<Selector>}
 */
export function el(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return /** @type {Selected<Selector>} */ (element);
}

/**
 * The element of a component's HTML that its script fills; null while Streamlit takes the component off the page.
 *
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function find(parent, selector) {
  return parent.querySelector(selector);
}

/**
 * Latitude and longitude as people write them: ["42.3601° N", "71.0589° W"].
 *
 * @param {{ lat: number, lng: number }} position
 * @param {number} digits
 */
export function coordinates({ lat, lng }, digits) {
  /** @type {(value: number, sides: string) => string} */
  const side = (value, sides) => `${Math.abs(value).toFixed(digits)}° ${sides[value < 0 ? 1 : 0]}`;
  return [side(lat, "NS"), side(lng, "EW")];
}
