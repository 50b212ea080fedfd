/** `<draft-autosave>`: saves the draft in its form a moment after typing, and shows what became of it. */

import { morph } from "../live/morph";
import { renewToken } from "./token";

const PAUSE_MS = 1200;
const AGAIN_MS = 5000;
/** No draft differs from what was sent: nothing can be put into this configuration any more. */
const ARCHIVED = "urn:telflo:problem:archived";

/** What the server answers to a text that was put into the draft. */
export type Answer =
  | { kind: "saved"; lockVersion: number }
  | { kind: "changed"; who: string }
  | { kind: "refused"; why: string }
  /** Signed out, or in again elsewhere with another token; or not an editor any more. */
  | { kind: "out" }
  | { kind: "away" };

/** Read an answer of the API; `body` is null when there was none, or no JSON. */
export function readAnswer(status: number, body: Record<string, unknown> | null): Answer {
  if (status === 200 && typeof body?.["lock_version"] === "number") {
    return { kind: "saved", lockVersion: body["lock_version"] };
  }
  if (status === 409 && body?.["type"] !== ARCHIVED) {
    const draft = body?.["draft"] as { editor?: string } | undefined;
    return { kind: "changed", who: draft?.editor ?? "" };
  }
  if (status === 401 || status === 403) return { kind: "out" };
  if (status >= 400 && status < 500) return { kind: "refused", why: String(body?.["detail"] ?? "the server refused it").replace(/\.$/, "") };
  return { kind: "away" };
}

/** Stands in the form around what is edited. It sends one text at a time, and none once a person has to decide. */
export class DraftAutosave extends HTMLElement {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | null = null;
  private stopped = false;
  /** The server was not reached, or takes nothing of who is signed out: it would not take the form either. */
  private isCut = false;
  private isFlushed = false;
  private saved = "";

  connectedCallback(): void {
    this.stopped = this.hasAttribute("data-waits");
    this.saved = this.state();
    this.addEventListener("input", this.typed);
    this.form?.addEventListener("submit", this.submitting);
    addEventListener("beforeunload", this.leaving);
    this.addEventListener("click", this.pointed);
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer);
    this.removeEventListener("input", this.typed);
    this.form?.removeEventListener("submit", this.submitting);
    removeEventListener("beforeunload", this.leaving);
    this.removeEventListener("click", this.pointed);
  }

  private get form(): HTMLFormElement | null {
    return this.closest("form");
  }

  private field(name: string): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement | null {
    const found = this.form?.elements.namedItem(name);
    return found instanceof HTMLElement && "value" in found ? (found as HTMLInputElement) : null;
  }

  private value(name: string): string {
    return this.field(name)?.value ?? "";
  }

  /** What is saved: the text and the version that it is for. */
  private state(): string {
    return JSON.stringify([this.value("yaml"), this.value("collector_version")]);
  }

  private readonly typed = (): void => {
    if (this.stopped || this.state() === this.saved) return;
    this.say("Not saved yet");
    this.schedule(PAUSE_MS);
  };

  private schedule(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), wait);
  }

  private async save(): Promise<void> {
    if (this.stopped || this.state() === this.saved) return;
    if (this.running) return this.schedule(PAUSE_MS);
    this.running = this.put();
    await this.running;
    this.running = null;
  }

  private async put(): Promise<void> {
    const text = this.value("yaml");
    const state = this.state();
    this.say("Saving …");
    let answer = await this.send(text);
    if (answer.kind === "out" && (await this.renew())) answer = await this.send(text);
    this.isCut = answer.kind === "out" || answer.kind === "away";
    if (answer.kind === "saved") this.keep(text, state, answer.lockVersion);
    else if (answer.kind === "changed") this.clash(answer.who);
    else if (answer.kind === "refused") this.say(`Not saved: ${answer.why}. Your text stays here.`, "fail");
    else if (answer.kind === "out") this.out();
    else {
      this.say("Not saved: the server does not answer. It is tried again.", "warn");
      this.schedule(AGAIN_MS);
    }
  }

  private async send(text: string): Promise<Answer> {
    const lock = this.value("lock_version");
    const body = {
      yaml: text,
      lock_version: lock === "" ? null : Number(lock),
      collector_version: this.value("collector_version"),
    };
    try {
      const answer = await fetch(this.dataset["url"] ?? "", {
        method: "PUT",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.value("csrfmiddlewaretoken") },
        body: JSON.stringify(body),
        credentials: "same-origin",
      });
      return readAnswer(answer.status, (await answer.json().catch(() => null)) as Record<string, unknown> | null);
    } catch {
      return { kind: "away" };
    }
  }

  /** The draft holds the text: what is typed from now on is a change of that. */
  private keep(text: string, state: string, lockVersion: number): void {
    this.set("lock_version", String(lockVersion));
    this.set("base", text);
    this.saved = state;
    this.say("Saved");
    if (this.state() !== state) this.schedule(PAUSE_MS);
    void this.renewFindings();
  }

  private set(name: string, value: string): void {
    const field = this.field(name);
    if (field) field.value = value;
  }

  /** Somebody else changed it: nothing is sent any more; the button shows both sides. */
  private clash(who: string): void {
    this.stopped = true;
    const said = this.said();
    if (!said) return;
    this.say(`Not saved: ${who ? `${who} changed this draft meanwhile` : "the draft is gone"}. `, "fail");
    const button = document.createElement("button");
    button.className = "btn btn-sm";
    button.name = "do";
    button.value = "save";
    button.textContent = "Compare the two";
    said.append(button);
  }

  /** Whoever signs in in another tab goes on here. */
  private out(): void {
    this.say("Not saved: you are signed out, or may not edit any more. Your text stays here. ", "fail");
    const link = document.createElement("a");
    link.className = "a";
    link.href = this.dataset["loginUrl"] ?? "";
    link.target = "_blank";
    link.textContent = "Sign in in another tab";
    this.said()?.append(link);
    this.schedule(AGAIN_MS);
  }

  private async renew(): Promise<boolean> {
    const token = await renewToken(this.dataset["pageUrl"] ?? "");
    if (token !== null) this.set("csrfmiddlewaretoken", token);
    return token !== null;
  }

  private said(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[data-said]");
  }

  private say(words: string, tone: "" | "warn" | "fail" = ""): void {
    const said = this.said();
    if (!said) return;
    said.textContent = words;
    said.classList.toggle("muted", tone === "");
    said.classList.toggle("text-warn", tone === "warn");
    said.classList.toggle("text-fail", tone === "fail");
  }

  private async renewFindings(): Promise<void> {
    const old = document.getElementById("findings");
    if (!old?.checkVisibility()) return;
    const answer = await fetch(this.dataset["findingsUrl"] ?? "", { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("findings");
    if (next) morph(old, next);
  }

  /**
   * The text is saved before the form is sent, since a form that nobody takes loses what it holds; a save under way is
   * waited for. Where the server cannot be reached the page stays.
   */
  private readonly submitting = (event: SubmitEvent): void => {
    clearTimeout(this.timer);
    const isDone = this.stopped || this.isFlushed || (!this.isCut && this.state() === this.saved);
    if (!this.running && isDone) {
      this.stopped = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.running ??= this.put().finally(() => (this.running = null));
    void this.running.then(() => {
      this.isFlushed = !this.isCut;
      if (this.isFlushed) this.form?.requestSubmit(event.submitter);
    });
  };

  private readonly leaving = (event: BeforeUnloadEvent): void => {
    if (!this.stopped && this.state() !== this.saved) event.preventDefault();
  };

  /** A finding's line is shown in the text. */
  private readonly pointed = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-line]") : null;
    const text = this.field("yaml");
    if (!link || !(text instanceof HTMLTextAreaElement) || !text.checkVisibility()) return;
    event.preventDefault();
    showLine(text, Number(link.dataset["line"]));
  };
}

/** Select a line (from 1) of a text and bring it into view. */
export function showLine(text: HTMLTextAreaElement, line: number): void {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, line - 5);
}
