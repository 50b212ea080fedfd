/** The outline: sections, components and pipelines, each leading to its line. */

import { entriesAt, type Entry } from "../yaml/outline";
import { h } from "./dom";

export class OutlinePanel {
  readonly element = h("div", { class: "ed-outline" });
  private shown = "";
  private entries: readonly Entry[] = [];

  constructor(go: (line: number) => void) {
    this.element.addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (button) go(Number(button.dataset["line"]));
    });
  }

  /** Whether the panel is not looked at now. */
  get isHidden(): boolean {
    return this.element.closest("[hidden]") !== null;
  }

  /** Show the parts of a text; `line` is where the cursor is. */
  show(entries: readonly Entry[], line: number): void {
    const said = JSON.stringify(entries);
    if (said !== this.shown) this.draw(entries);
    this.shown = said;
    this.entries = entries;
    this.mark(line);
  }

  private draw(entries: readonly Entry[]): void {
    const focused = this.buttons().indexOf(document.activeElement as HTMLButtonElement);
    const empty = h("p", { class: "ed-note" }, "Nothing yet. A configuration begins with receivers, exporters and service.");
    this.element.replaceChildren(entries.length > 0 ? listOf(entries) : empty);
    if (focused >= 0) this.buttons()[focused]?.focus();
  }

  private mark(line: number): void {
    const here = entriesAt(this.entries, line).at(-1);
    for (const button of this.buttons()) {
      const isHere = here !== undefined && Number(button.dataset["line"]) === here.line && button.textContent === here.name;
      if (isHere) button.setAttribute("aria-current", "location");
      else button.removeAttribute("aria-current");
    }
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.element.querySelectorAll("button")];
  }
}

function listOf(entries: readonly Entry[]): HTMLUListElement {
  const items = entries.map((entry) => {
    const button = h("button", { type: "button", "data-line": String(entry.line) }, entry.name);
    return h("li", {}, button, ...(entry.children.length > 0 ? [listOf(entry.children)] : []));
  });
  return h("ul", {}, ...items);
}
