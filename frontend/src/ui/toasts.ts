/** Toasts: done things leave after 4 s, warnings and errors stay until they are closed. */

const STAY_MS = 4000;

export type Level = "success" | "warning" | "error";

const TONES: Record<Level, string> = { success: "", warning: "is-warn", error: "is-fail" };

export class ToastItem extends HTMLElement {
  private timer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback(): void {
    if (this.hasAttribute("data-stays")) this.addCloseButton();
    else this.leaveSoon();
    this.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.addEventListener("pointerleave", () => {
      if (!this.hasAttribute("data-stays")) this.leaveSoon();
    });
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer);
  }

  private leaveSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.remove(), STAY_MS);
  }

  private addCloseButton(): void {
    if (this.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "close";
    button.setAttribute("aria-label", "Close");
    button.textContent = "×";
    button.addEventListener("click", () => this.remove());
    this.append(button);
  }
}

/** Show a toast. */
export function toast(text: string, level: Level = "success"): void {
  const box = document.getElementById("toasts");
  if (!box) return;
  const item = document.createElement("toast-item");
  item.className = `toast-x ${TONES[level]}`.trim();
  if (level !== "success") item.setAttribute("data-stays", "");
  const words = document.createElement("span");
  words.textContent = text;
  item.append(words);
  box.append(item);
}

/** Toasts that the server asks for (`HX-Trigger: {"toast": …}`), and failed requests of htmx. */
export function listenForToasts(): void {
  document.addEventListener("toast", (event) => {
    const { text, level } = (event as CustomEvent<{ text?: string; level?: Level }>).detail ?? {};
    if (text) toast(text, level && level in TONES ? level : "success");
  });
  document.addEventListener("htmx:sendError", () =>
    toast("No answer from the server. Nothing was changed.", "error"),
  );
  document.addEventListener("htmx:responseError", () =>
    toast("The server refused this. Reload the page to see why.", "error"),
  );
}
