/** One live socket per tab: connects, subscribes, hears hints, and keeps trying when it is lost. */

import { retryDelay } from "./backoff";
import { readHint } from "./hints";

/** What the connection needs of a WebSocket. */
export interface Socket {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
  send(data: string): void;
  close(): void;
}

export type LiveState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "catching-up" }
  | { kind: "lost"; dataFrom: number; retryAt: number };

export interface Listener {
  /** The state changed; the Live lamp shows it. */
  onState(state: LiveState): void;
  /** Data under a topic changed. */
  onHint(topic: string): void;
  /** Something may have been missed, or there is no socket: fetch everything again. */
  onResync(): Promise<boolean>;
}

const POLL_MS = 15_000;
const OPEN = 1;

export class LiveConnection {
  private socket: Socket | null = null;
  private attempt = 0;
  private lostBefore = false;
  private stopped = false;
  private dataFrom = Date.now();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pollTimer: ReturnType<typeof setInterval> | undefined;
  private topics: string[] = [];

  constructor(
    private readonly open: () => Socket,
    private readonly listener: Listener,
    private readonly chance: () => number = Math.random,
  ) {}

  /** Connect, and stay connected until `stop`. */
  start(topics: string[]): void {
    this.topics = topics;
    this.listener.onState({ kind: "connecting" });
    this.connect();
  }

  /** Tell the server which topics the page shows now. */
  subscribe(topics: string[]): void {
    const same = topics.join(" ") === this.topics.join(" ");
    this.topics = topics;
    if (!same && this.socket?.readyState === OPEN) this.sendTopics();
  }

  /** The network is back, or a person came back: do not wait for the timer. */
  retryNow(): void {
    if (this.stopped || this.retryTimer === undefined) return;
    this.connect();
  }

  /** The page came back from the browser's memory: connect again and catch up. */
  resume(): void {
    this.stopped = false;
    this.lostBefore = true;
    this.connect();
  }

  /** Close until `resume`. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    clearInterval(this.pollTimer);
    this.pollTimer = undefined;
    this.socket?.close();
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => void this.opened();
    socket.onmessage = (event) => this.heard(event.data);
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  private async opened(): Promise<void> {
    this.attempt = 0;
    clearInterval(this.pollTimer);
    this.pollTimer = undefined;
    this.sendTopics();
    if (this.lostBefore) this.listener.onState({ kind: "catching-up" });
    // What changed between the making of the page and this subscription was told to nobody here.
    await this.listener.onResync();
    if (this.socket?.readyState === OPEN) this.listener.onState({ kind: "live" });
  }

  private heard(text: string): void {
    const hint = readHint(text);
    if (hint) this.listener.onHint(hint.topic);
  }

  private lost(): void {
    if (this.stopped) return;
    if (!this.pollTimer) {
      this.dataFrom = Date.now();
      this.pollTimer = setInterval(() => void this.poll(), POLL_MS);
    }
    this.lostBefore = true;
    const wait = retryDelay(this.attempt++, this.chance());
    this.retryTimer = setTimeout(() => this.connect(), wait);
    this.sayLost(Date.now() + wait);
  }

  private async poll(): Promise<void> {
    if (await this.listener.onResync()) this.dataFrom = Date.now();
  }

  private sayLost(retryAt: number): void {
    this.listener.onState({ kind: "lost", dataFrom: this.dataFrom, retryAt });
  }

  private sendTopics(): void {
    this.socket?.send(JSON.stringify({ subscribe: this.topics }));
  }
}
