// @vitest-environment node
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Checker, type Report } from "./check";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A server whose answers are given by hand. */
function slowServer() {
  const asked: { answer(report: Report): void; refuse(words: string): void; signal: AbortSignal }[] = [];
  const told = { found: vi.fn(), failed: vi.fn() };
  const ask = (signal: AbortSignal) =>
    new Promise<Report>((answer, reject) => asked.push({ answer, refuse: (words) => reject(new Error(words)), signal }));
  return { asked, told, checker: new Checker(ask, told, 400) };
}
const REPORT = { findings: [] };

it("asks once typing rests", () => {
  const { asked, checker } = slowServer();
  for (let key = 0; key < 5; key += 1) {
    checker.changed();
    vi.advanceTimersByTime(300);
  }
  expect(asked).toHaveLength(0);
  vi.advanceTimersByTime(100);
  expect(asked).toHaveLength(1);
});

it("drops an answer about a text that is no more", async () => {
  const { asked, told, checker } = slowServer();
  void checker.now();
  checker.changed();
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.answer({ findings: [], left_off: 7 });
  await vi.advanceTimersByTimeAsync(400);
  asked[1]?.answer(REPORT);
  await vi.advanceTimersByTimeAsync(0);
  expect(told.found.mock.calls).toEqual([[REPORT]]);
});

it("says why there is no answer, and asks again after the next change", async () => {
  const { asked, told, checker } = slowServer();
  void checker.now();
  asked[0]?.refuse("The server does not answer.");
  await vi.advanceTimersByTimeAsync(0);
  expect(told.failed).toHaveBeenCalledWith("The server does not answer.");
  checker.changed();
  vi.advanceTimersByTime(400);
  expect(asked).toHaveLength(2);
});

it("is silent after it was stopped", async () => {
  const { asked, told, checker } = slowServer();
  void checker.now();
  checker.stop();
  asked[0]?.refuse("away");
  checker.changed();
  checker.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(1);
  expect(told.failed).not.toHaveBeenCalled();
});
