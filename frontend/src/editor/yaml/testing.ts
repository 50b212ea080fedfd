/** For tests: texts as lines, and a cursor written as `¦`. */

import type { Lines } from "./lines";

/** The lines of a text. */
export function linesOf(text: string): Lines {
  const lines = text.split("\n");
  return { count: lines.length, line: (number) => lines[number - 1] ?? "" };
}

/** The text without its one cursor, and where that was. */
export function atCursor(marked: string): { lines: Lines; number: number; column: number } {
  const offset = marked.indexOf("¦");
  const before = marked.slice(0, offset).split("\n");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return { lines: linesOf(text), number: before.length, column: before.at(-1)?.length ?? 0 };
}
