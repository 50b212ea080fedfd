// @vitest-environment node
import { expect, it } from "vitest";
import { Characters } from "./characters";

it("leaves offsets alone where every character is one unit", () => {
  const plain = new Characters("receivers: é ü 漢");
  expect([0, 5, 15].map((offset) => plain.toUnits(offset))).toEqual([0, 5, 15]);
});

it("counts two units for characters outside the basic plane", () => {
  const text = "a😀b😀😀c";
  const offsets = [..."a😀b😀😀c", ""].map((_, at) => new Characters(text).toUnits(at));
  expect(offsets).toEqual([0, 1, 3, 4, 6, 8, 9]);
  const characters = [...text];
  for (const [at, character] of characters.entries()) {
    expect(text.startsWith(character, offsets[at])).toBe(true);
  }
});

it("takes half a pair for a character of its own", () => {
  const half = new Characters("\ud83dx😀y");
  expect([0, 1, 2, 3].map((offset) => half.toUnits(offset))).toEqual([0, 1, 2, 4]);
});
