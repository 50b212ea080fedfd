import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveConnection, type LiveState, type Socket } from "./connection";

class FakeSocket implements Socket {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  readonly sent: string[] = [];

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.(new Event("close") as CloseEvent);
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }

  say(data: string): void {
    this.onmessage?.({ data } as MessageEvent<string>);
  }
}

function setUp() {
  const sockets: FakeSocket[] = [];
  const states: LiveState[] = [];
  const topics: string[] = [];
  let resyncs = 0;
  const connection = new LiveConnection(
    () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    {
      onState: (state) => states.push(state),
      onHint: (topic) => topics.push(topic),
      onResync: () => {
        resyncs += 1;
        return Promise.resolve(true);
      },
    },
    () => 0.5,
  );
  return { connection, sockets, states, topics, resyncs: () => resyncs };
}

describe("the live connection", () => {
  beforeEach(() => void vi.useFakeTimers({ now: new Date("2026-11-22T14:38:00Z") }));
  afterEach(() => void vi.useRealTimers());

  it("subscribes when it opens and again when the page's topics change", async () => {
    const { connection, sockets, states } = setUp();
    connection.start(["agents"]);
    sockets[0]?.accept();
    connection.subscribe(["agents"]);
    connection.subscribe(["agents", "tokens"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets[0]?.sent.map((text) => JSON.parse(text))).toEqual([
      { subscribe: ["agents"] },
      { subscribe: ["agents", "tokens"] },
    ]);
    expect(states.map((state) => state.kind)).toEqual(["connecting", "live"]);
  });

  it("fetches once when it first opens: nobody told it what changed since the page was made", async () => {
    const { connection, sockets, resyncs } = setUp();
    connection.start(["agents"]);
    expect(resyncs()).toBe(0);
    sockets[0]?.accept();
    await vi.advanceTimersByTimeAsync(0);
    expect(resyncs()).toBe(1);
  });

  it("passes hints on and ignores other messages", () => {
    const { connection, sockets, topics } = setUp();
    connection.start(["agents"]);
    sockets[0]?.accept();
    sockets[0]?.say('{"topic": "agents", "seq": 1}');
    sockets[0]?.say("hello");
    expect(topics).toEqual(["agents"]);
  });

  it("says since when it is lost and when it tries again", () => {
    const { connection, sockets, states } = setUp();
    connection.start([]);
    sockets[0]?.accept();
    sockets[0]?.close();
    const now = Date.now();
    expect(states.at(-1)).toEqual({ kind: "lost", dataFrom: now, retryAt: now + 1000 });
  });

  it("waits longer after each failure and fetches everything once it is back", async () => {
    const { connection, sockets, states, resyncs } = setUp();
    connection.start([]);
    sockets[0]?.accept();
    sockets[0]?.close();
    await vi.advanceTimersByTimeAsync(1000);
    sockets[1]?.close();
    await vi.advanceTimersByTimeAsync(1999);
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    const before = resyncs();
    sockets[2]?.accept();
    await vi.advanceTimersByTimeAsync(0);
    expect(resyncs()).toBe(before + 1);
    expect(states.slice(-2).map((state) => state.kind)).toEqual(["catching-up", "live"]);
  });

  it("polls every 15 s while there is no socket, and stops when there is one", async () => {
    const { connection, sockets, resyncs } = setUp();
    connection.start([]);
    sockets[0]?.close();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(resyncs()).toBe(1);
    sockets.at(-1)?.accept();
    await vi.advanceTimersByTimeAsync(0);
    const before = resyncs();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(resyncs()).toBe(before);
  });

  it("does not come back after it was stopped", async () => {
    const { connection, sockets } = setUp();
    connection.start([]);
    sockets[0]?.accept();
    connection.stop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sockets).toHaveLength(1);
  });

  it("catches up when the page comes back from the browser's memory", async () => {
    const { connection, sockets, resyncs } = setUp();
    connection.start([]);
    sockets[0]?.accept();
    connection.stop();
    connection.resume();
    const before = resyncs();
    sockets[1]?.accept();
    await vi.advanceTimersByTimeAsync(0);
    expect(resyncs()).toBe(before + 1);
  });
});
