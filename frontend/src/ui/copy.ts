/** `<copy-button value="…">` around a button: copies the value, or the text of the element `for` names. */

import { toast } from "./toasts";

export class CopyButton extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.copy);
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.copy);
  }

  /** What is copied. */
  get text(): string {
    const named = this.getAttribute("for");
    if (!named) return this.getAttribute("value") ?? "";
    return document.getElementById(named)?.textContent?.trim() ?? "";
  }

  private readonly copy = async (): Promise<void> => {
    if (await writeClipboard(this.text, this)) toast("Copied");
    else toast("The browser did not allow copying. Select the text and copy it.", "warning");
  };
}

/** Copy text. Pages served over plain HTTP have no clipboard API: there a hidden field helps. */
export async function writeClipboard(text: string, near: HTMLElement): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here (an old permission, an embedded page): the hidden field may still work.
    }
  }
  return copyByField(text, near);
}

function copyByField(text: string, near: HTMLElement): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr";
  field.setAttribute("aria-hidden", "true");
  const focused = document.activeElement;
  near.append(field); // inside an open dialog nothing outside it can be focused
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
