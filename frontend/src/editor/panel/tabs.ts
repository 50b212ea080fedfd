/** Tabs: one panel at a time; arrow keys go from tab to tab. */

import { h } from "./dom";

export interface Tab {
  id: string;
  title: string;
  panel: HTMLElement;
}

export class Tabs {
  readonly bar: HTMLElement;
  readonly panels: HTMLElement[];
  private readonly buttons: HTMLButtonElement[];

  constructor(label: string, tabs: readonly Tab[], private readonly shown: (id: string) => void) {
    this.panels = tabs.map((tab) =>
      h("div", { role: "tabpanel", tabindex: "0", id: `${tab.id}-panel`, "aria-labelledby": `${tab.id}-tab` }, tab.panel),
    );
    this.buttons = tabs.map((tab) =>
      h("button", { type: "button", role: "tab", id: `${tab.id}-tab`, "aria-controls": `${tab.id}-panel` }, tab.title),
    );
    this.bar = h("div", { class: "ed-tabs", role: "tablist", "aria-label": label }, ...this.buttons);
    for (const [at, button] of this.buttons.entries()) button.addEventListener("click", () => this.choose(at));
    this.bar.addEventListener("keydown", (event) => this.pressed(event));
    this.choose(0);
  }

  /** Show a number beside a tab's title. */
  count(at: number, number: number): void {
    const button = this.buttons[at];
    const badge = button?.querySelector(".n") ?? h("span", { class: "n" });
    badge.textContent = ` ${number}`;
    button?.append(badge);
  }

  private choose(chosen: number): void {
    for (const [at, button] of this.buttons.entries()) {
      button.setAttribute("aria-selected", String(at === chosen));
      button.tabIndex = at === chosen ? 0 : -1;
      const panel = this.panels[at];
      if (panel) panel.hidden = at !== chosen;
    }
    this.shown(this.panels[chosen]?.id ?? "");
  }

  private pressed(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const here = this.buttons.findIndex((button) => button === document.activeElement);
    if (!step || here < 0) return;
    event.preventDefault();
    const next = (here + step + this.buttons.length) % this.buttons.length;
    this.choose(next);
    this.buttons[next]?.focus();
  }
}
