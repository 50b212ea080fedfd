/**
 * `<config-editor>` around a `<textarea>`: an editor for collector configurations. Without this script the textarea
 * works by itself; with it, it follows the text (mirror.ts) and fires `input`.
 *
 * data-validate-url: where findings come from · data-catalog-url: prefix of the catalogs · data-collector-version-from:
 * id of the field that holds the collector version · data-readonly. What is absent is not used.
 * Fires `config-editor:counted` with { error, warning, info } when there are others. A script that puts another text
 * into the textarea fires `change` on it.
 */

import { ConfigurationEditor } from "./editor";
import type { Counts } from "./findings/finding";

const DESCRIPTION = "Tab indents. To leave, press Escape, then Tab. Control and Space complete. F8 goes to the next finding.";

export class ConfigEditor extends HTMLElement {
  private editor: ConfigurationEditor | null = null;
  private area: HTMLTextAreaElement | null = null;

  connectedCallback(): void {
    this.area = this.querySelector("textarea");
    if (!this.area || this.editor) return;
    this.editor = this.opened(this.area);
    this.area.after(...this.editor.frame.parts);
    this.area.hidden = true;
    this.versionField?.addEventListener("change", this.otherVersion);
    for (const label of this.area.labels) label.addEventListener("click", this.focusText);
    if (this.area.autofocus) this.editor.view.focus();
  }

  disconnectedCallback(): void {
    if (!this.area || !this.editor) return;
    this.versionField?.removeEventListener("change", this.otherVersion);
    for (const label of this.area.labels) label.removeEventListener("click", this.focusText);
    this.editor.stop();
    this.editor = null;
    this.area.hidden = false;
  }

  private opened(area: HTMLTextAreaElement): ConfigurationEditor {
    const isReadOnly = "readonly" in this.dataset || area.readOnly || area.disabled;
    return new ConfigurationEditor(area, {
      label: area.getAttribute("aria-label") ?? area.labels[0]?.textContent?.trim() ?? "Configuration",
      description: DESCRIPTION,
      placeholder: area.placeholder,
      isReadOnly,
      validateUrl: this.dataset["validateUrl"] ?? "",
      catalogUrl: this.dataset["catalogUrl"] ?? "",
      version: () => this.versionField?.value ?? "",
      id: area.id || "config-editor",
      counted: (counts: Counts) =>
        this.dispatchEvent(new CustomEvent("config-editor:counted", { bubbles: true, detail: counts })),
    });
  }

  private get versionField(): HTMLInputElement | HTMLSelectElement | null {
    const field = document.getElementById(this.dataset["collectorVersionFrom"] ?? "");
    return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field : null;
  }

  private readonly otherVersion = (): void => this.editor?.check();

  private readonly focusText = (event: Event): void => {
    event.preventDefault();
    this.editor?.view.focus();
  };
}
