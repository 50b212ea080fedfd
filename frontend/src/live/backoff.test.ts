import { expect, it } from "vitest";
import { retryDelay } from "./backoff";

it("doubles the wait up to 30 s", () => {
  expect([0, 1, 2, 3, 4, 5, 9].map((attempt) => retryDelay(attempt, 0.5))).toEqual([
    1000, 2000, 4000, 8000, 16000, 30000, 30000,
  ]);
});

it("spreads the tabs of many people over time", () => {
  expect(retryDelay(3, 0)).toBe(6000);
  expect(retryDelay(3, 1)).toBe(10000);
});
