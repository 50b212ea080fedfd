/** When the server is asked what it finds: once typing rests, one request at a time, late answers dropped. */

import type { ServerFinding } from "./finding";

export interface Report {
  findings: ServerFinding[];
  /** How many more there are. */
  left_off?: number;
}

/** Asks about the text as it is now. Rejects with words for people. */
export type Ask = (signal: AbortSignal) => Promise<Report>;

export interface Told {
  found(report: Report): void;
  /** The server was not reached, or did not answer as it should. */
  failed(words: string): void;
}

export class Checker {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly ask: Ask,
    private readonly told: Told,
    private readonly restMs = 400,
  ) {}

  /** The text is another: what is under way is no answer any more. */
  changed(): void {
    this.stop();
    this.timer = setTimeout(() => void this.now(), this.restMs);
  }

  /** Ask at once. */
  async now(): Promise<void> {
    this.stop();
    const running = new AbortController();
    this.running = running;
    try {
      const report = await this.ask(running.signal);
      if (!running.signal.aborted) this.told.found(report);
    } catch (fault) {
      if (!running.signal.aborted) this.told.failed(fault instanceof Error ? fault.message : String(fault));
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.abort();
  }
}
