/** The editor's frame: the text, beside (or below) it findings and outline, and a line of help. */

import { h } from "./dom";
import { icon } from "./icons";
import { keysDialog } from "./keys";
import { type Tab, Tabs } from "./tabs";

export interface Frame {
  /** All parts, to be put into the page. */
  parts: HTMLElement[];
  /** Where CodeMirror goes. */
  text: HTMLElement;
  tabs: Tabs;
  search: HTMLButtonElement;
  /** Says how many findings there are; screen readers hear it change. */
  summary: HTMLElement;
  /** A quiet line: what keeps the server from checking. */
  note: HTMLElement;
}

/** Build it. `id` is a prefix for ids. */
export function frameOf(id: string, tabs: readonly Tab[], chosen: (panel: string) => void): Frame {
  const text = h("div", { class: "ed-text" });
  const bar = new Tabs("About the text", tabs, chosen);
  const summary = h("p", { class: "sr", role: "status" });
  const note = h("p", { class: "ed-note", role: "status" });
  const search = h("button", { type: "button", class: "a" }, icon("search"), "Search");
  const dialog = keysDialog(id);
  const keys = h("button", { type: "button", class: "a" }, "Keys");
  keys.addEventListener("click", () => dialog.showModal());
  const help = h(
    "div", { class: "ed-help" },
    h("span", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Space"), " completes"),
    h("span", {}, h("kbd", {}, "F8"), " next finding"),
    h("span", {}, h("kbd", {}, "Esc"), " then ", h("kbd", {}, "Tab"), " leaves the editor"),
    h("span", { class: "r" }, search, keys),
  );
  const side = h("section", { class: "ed-side", "aria-label": "Findings and outline" }, bar.bar, ...bar.panels, note, summary);
  return { parts: [h("div", { class: "ed-body" }, text, side), help, dialog], text, tabs: bar, search, summary, note };
}
