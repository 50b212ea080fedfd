/** Faults of syntax, looked for by a worker. One look at a time, of the newest text; none where the server has spoken. */

import type { Fault } from "./syntax";

export class SyntaxWatch {
  private readonly worker = new Worker(new URL("./syntax.worker.ts", import.meta.url), { type: "module" });
  private looking: string | null = null;
  private next: string | null = null;
  /** The text that is judged already. */
  private done: string | null = null;

  /** found: told of a text, which may be an older one by now. */
  constructor(private readonly found: (text: string, faults: Fault[]) => void) {
    this.worker.addEventListener("message", (event: MessageEvent<Fault[]>) => this.answered(event.data));
  }

  /** Look at a text, unless it was looked at. */
  look(text: string): void {
    if (text === this.done) return;
    this.next = text;
    if (this.looking === null) this.post();
  }

  /** The server has judged this text: no other word is needed. */
  settled(text: string): void {
    this.done = text;
    this.next = null;
  }

  stop(): void {
    this.worker.terminate();
  }

  private post(): void {
    this.looking = this.next;
    this.next = null;
    if (this.looking !== null) this.worker.postMessage(this.looking);
  }

  private answered(faults: Fault[]): void {
    const text = this.looking;
    const isNew = this.next === null && text !== this.done;
    this.post();
    if (text === null || !isNew) return;
    this.done = text;
    this.found(text, faults);
  }
}
