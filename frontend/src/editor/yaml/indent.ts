/** PURE. How far a new line is indented. */

import { flowAtEnd } from "./flow";
import { beginsBlock, beginsFlow, indentOf, isBlank, isOpen, readLine } from "./lines";

/** In YAML two spaces are usual. */
export const UNIT = 2;

/** The indentation of the line after this one: further in below a key without a value, else where its keys begin. */
export function indentAfter(line: string): number {
  if (isBlank(line)) return indentOf(line);
  const { marks, value, valueFrom } = readLine(line);
  const last = marks.at(-1);
  const column = last?.column ?? indentOf(line);
  if (!last) return isUnclosed(value) ? column + UNIT : column;
  if (beginsBlock(value) || isUnclosed(value)) return column + UNIT;
  if (last.key !== null) return isOpen(value) ? column + UNIT : column;
  return value === "" ? Math.max(valueFrom, column + UNIT) : column;
}

function isUnclosed(value: string): boolean {
  return beginsFlow(value) && flowAtEnd(value.slice(value.search(/[[{]/))) !== null;
}

/** How many guides stand before a line's text. */
export function guidesOf(line: string): number {
  return Math.ceil(indentOf(line) / UNIT);
}
