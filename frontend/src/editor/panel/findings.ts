/** The list of findings, the worst first: each with its place, its documentation and its fixes. */

import { byWorst, type Finding, type Fix } from "../findings/finding";
import { docLink, h } from "./dom";
import { icon, ICON_OF } from "./icons";

export interface Deeds {
  go(finding: Finding): void;
  fix(fix: Fix): void;
}

const TONE = { error: "is-fail", warning: "is-warn", info: "is-idle" } as const;

export class FindingsPanel {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "rows" });
  private readonly empty = h("p", { class: "ed-note" });
  private rows = new Map<string, HTMLLIElement>();
  private shown: readonly Finding[] = [];

  constructor(deeds: Deeds, private readonly canFix: boolean) {
    this.element = h("div", {}, this.list, this.empty);
    this.list.addEventListener("click", (event) => this.pressed(event, deeds));
  }

  /**
   * Show findings. What stays the same keeps its element, and with it the focus.
   * lineOf: of an offset, from 1 · otherwise: what is said when there are none.
   */
  show(findings: readonly Finding[], lineOf: (offset: number) => number, otherwise: string): void {
    this.empty.textContent = findings.length > 0 ? "" : otherwise;
    const rows = new Map<string, HTMLLIElement>();
    this.shown = byWorst(findings);
    for (const [at, finding] of this.shown.entries()) {
      const line = finding.place ? lineOf(finding.place.from) : 0;
      const key = [finding.rule, finding.message, line, ...finding.fixes.map((fix) => fix.title), rows.size].join("\n");
      const row = this.rows.get(key) ?? this.row(finding, line);
      row.dataset["finding"] = String(at);
      rows.set(key, row);
    }
    this.rows = rows;
    const wanted = [...rows.values()];
    const isSame = wanted.length === this.list.children.length && wanted.every((row, at) => row === this.list.children[at]);
    if (!isSame) this.list.replaceChildren(...wanted);
  }

  private row(finding: Finding, line: number): HTMLLIElement {
    const fixes = this.canFix ? finding.fixes : [];
    const buttons = fixes.map((fix, at) =>
      h("button", { type: "button", class: "btn btn-sm", "data-fix": String(at) }, icon("check"), fix.title),
    );
    const place = line > 0 ? [h("button", { type: "button", class: "a num", "data-go": true }, `Line ${line}`)] : [];
    const link = finding.link ? [docLink(finding.link, finding.rule)] : [finding.rule];
    return h(
      "li", { class: TONE[finding.severity] },
      h("span", { class: "ic" }, icon(ICON_OF[finding.severity]), h("span", { class: "sr" }, finding.severity)),
      h(
        "div", { class: "b" },
        h("p", {}, finding.message),
        h("div", { class: "ed-acts" }, ...buttons, h("span", { class: "s" }, ...link), ...place),
      ),
    );
  }

  private pressed(event: Event, deeds: Deeds): void {
    const button = (event.target as Element).closest("button");
    const finding = this.shown[Number(button?.closest("li")?.dataset["finding"])];
    if (!button || !finding) return;
    const fix = finding.fixes[Number(button.dataset["fix"])];
    if (fix) deeds.fix(fix);
    else if (button.hasAttribute("data-go")) deeds.go(finding);
  }
}
