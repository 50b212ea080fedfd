// @vitest-environment node
import { expect, it } from "vitest";
import { difference } from "./difference";

it.each([
  ["", "a"], ["a", ""], ["abc", "abXc"], ["aaa", "aa"], ["aa", "aaa"], ["abab", "ab"], ["abc", "xyz"], ["one\ntwo\n", "one\n2\ntwo\n"],
])("makes %j into %j", (old, next) => {
  const change = difference(old, next);
  expect(change && old.slice(0, change.from) + change.insert + old.slice(change.to)).toBe(next);
});

it("touches nothing but what is different", () => {
  expect(difference("a: 1\nb: 2\nc: 3", "a: 1\nb: 20\nc: 3")).toEqual({ from: 9, to: 9, insert: "0" });
  expect(difference("same", "same")).toBeNull();
});
