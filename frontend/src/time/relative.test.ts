import { expect, it } from "vitest";
import { absolute, clockOrDate, relative } from "./relative";
import { refreshTimes } from "./refresh";

const NOW = Date.UTC(2026, 10, 22, 14, 40, 0);

// The same cases stand in tests/ui/test_times.py.
const CASES: Array<[number, string, string]> = [
  [0, "bare", "0 s"],
  [8, "bare", "8 s"],
  [59.9, "ago", "59 s ago"],
  [60, "bare", "1 min"],
  [3599, "bare", "59 min"],
  [7200, "ago", "2 h ago"],
  [86400, "bare", "1 d"],
  [364 * 86400, "bare", "364 d"],
  [800 * 86400, "bare", "2 y"],
  [-6 * 86400 - 1, "bare", "in 6 d"],
  [-0.5, "bare", "0 s"],
];

it.each(CASES)("writes %d s (%s) as %s", (seconds, style, text) => {
  expect(relative(NOW - seconds * 1000, NOW, style)).toBe(text);
});

it("writes moments in the reader's zone", () => {
  expect(absolute(new Date("2026-11-22T13:26:00Z"), "Europe/Berlin")).toMatch(/^22 Nov 2026, 14:26 /);
  expect(absolute(new Date("2026-09-01T00:00:00Z"), "UTC")).toMatch(/^1 Sep 2026, 00:00 UTC$/);
});

it("writes the hour today and the date otherwise", () => {
  const now = new Date(2026, 10, 22, 18, 0);
  expect(clockOrDate(new Date(2026, 10, 22, 14, 19), now)).toBe("14:19");
  expect(clockOrDate(new Date(2026, 10, 18, 14, 19), now)).toBe("18 Nov");
  expect(clockOrDate(new Date(2025, 8, 18, 14, 19), now)).toBe("18 Sep 2025");
});

it("refreshes the page's times and leaves unreadable ones alone", () => {
  document.body.innerHTML = `<time datetime="2026-11-22T14:35:00Z" data-rel="bare">1 min</time>
    <time datetime="?" data-rel="bare">?</time>`;
  refreshTimes(document, new Date(NOW));
  expect([...document.querySelectorAll("time")].map((time) => time.textContent)).toEqual(["5 min", "?"]);
});
