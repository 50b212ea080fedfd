/** `<live-lamp>`: says in the top bar whether the page follows what happens. */

import type { LiveState } from "./connection";

/** What a lamp says. `also` changes every second and is not read out. */
export interface LampText {
  state: "live" | "wait" | "lost";
  text: string;
  also: string;
}

/** The words for a state of the connection, at the time `now` (milliseconds). */
export function lampText(state: LiveState, now: number): LampText {
  if (state.kind === "live") return { state: "live", text: "Live", also: "" };
  if (state.kind === "connecting") return { state: "wait", text: "Connecting", also: "" };
  if (state.kind === "catching-up") return { state: "wait", text: "Catching up", also: "" };
  const from = new Date(state.dataFrom).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const left = Math.max(0, Math.ceil((state.retryAt - now) / 1000));
  return {
    state: "lost",
    text: `Not live, data from ${from}`,
    also: left ? `, retry in ${left} s` : ", trying",
  };
}

export class LiveLamp extends HTMLElement {
  private state: LiveState = { kind: "connecting" };
  private shown = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Show a state; a lost connection counts down by itself. */
  show(state: LiveState): void {
    this.state = state;
    clearInterval(this.timer);
    if (state.kind === "lost") this.timer = setInterval(() => this.render(), 1000);
    this.render();
  }

  disconnectedCallback(): void {
    clearInterval(this.timer);
  }

  private render(): void {
    const words = lampText(this.state, Date.now());
    if (words.state !== this.shown) this.replaceFrom(words.state);
    setText(this.querySelector("[data-text]"), words.text);
    setText(this.querySelector("[data-also]"), words.also);
  }

  /** The server renders each look once, as a template with its icon. */
  private replaceFrom(state: string): void {
    const look = this.querySelector<HTMLTemplateElement>(`template[data-look="${state}"]`);
    if (!look) return;
    for (const child of [...this.children]) if (child.localName !== "template") child.remove();
    this.append(look.content.cloneNode(true));
    this.shown = state;
  }
}

function setText(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}
