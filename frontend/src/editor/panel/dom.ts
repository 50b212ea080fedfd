/** Elements in one expression. */

type Attributes = Record<string, string | boolean>;

/** Make an element; `true` sets an attribute without a value, `false` leaves it out. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A link to documentation, in a window of its own. */
export function docLink(href: string, words: string): HTMLAnchorElement {
  return h("a", { class: "a", href, target: "_blank", rel: "noopener noreferrer" }, words);
}
