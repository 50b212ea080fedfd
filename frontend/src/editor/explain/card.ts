/** What is known of a word, drawn: in hover tooltips and beside completions. */

import type { Finding, Fix } from "../findings/finding";
import { docLink, h } from "../panel/dom";
import { icon, ICON_OF } from "../panel/icons";
import type { Explained } from "./words";

/** A component or setting. */
export function card({ title, facts, notes, link }: Explained): HTMLElement {
  const rows = facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h(
    "div", { class: "cm-card" },
    h("p", { class: "cm-card-title" }, title),
    h("dl", {}, ...rows),
    ...notes.map((note) => h("p", { class: "cm-card-note" }, note)),
    ...(link ? [h("p", {}, docLink(link, "Documentation"))] : []),
  );
}

/** A finding, with buttons for its fixes. */
export function findingCard(finding: Finding, fix: ((one: Fix) => void) | null): HTMLElement {
  const sign = h("span", { class: `is-${finding.severity}` }, icon(ICON_OF[finding.severity]));
  const buttons = (fix ? finding.fixes : []).map((one) => {
    const button = h("button", { type: "button", class: "cm-fix" }, one.title);
    button.addEventListener("click", () => fix?.(one));
    return button;
  });
  return h("div", { class: "cm-card cm-card-finding" }, sign, h("div", {}, h("p", {}, finding.message), ...buttons));
}
