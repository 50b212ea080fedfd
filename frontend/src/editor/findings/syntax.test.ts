// @vitest-environment node
import { expect, it } from "vitest";
import { faultsIn } from "./syntax";

it("finds nothing in what collectors take", () => {
  expect(faultsIn("receivers:\n  otlp: # why\nservice:\n  extensions: [a, b]\n")).toEqual([]);
  expect(faultsIn("a: &x {b: 1}\nc:\n  <<: *x\n  d: !tag e\n")).toEqual([]);
  expect(faultsIn("a: 1\n---\nb: 2\n")).toEqual([]);
  expect(faultsIn("")).toEqual([]);
});

it.each([
  ["a:\n  b: [1, 2\n", "not closed"],
  ["a: b: c\n", "One line"],
  ["a: @x\n", "quotes"],
  ["a:\n\tb: 1\n", "tabs"],
  ["a: 1\na: 2\n", "twice"],
  ["a:\n  b: 1\n c: 2\n", "indentation"],
])("says what is wrong with %j, and where", (text, word) => {
  const [fault] = faultsIn(text);
  expect(fault?.message).toContain(word);
  expect(fault?.from).toBeGreaterThan(0);
  expect(fault?.to).toBeLessThanOrEqual(text.length);
});

it("keeps to a bounded number", () => {
  expect(faultsIn("a: ]\n".repeat(100), 5)).toHaveLength(5);
  expect(faultsIn("- a\nb: 1\n")).toHaveLength(1);
});
