/** CodeMirror's text as the pure modules read it; what is found of a text is found once. */

import type { Text } from "@codemirror/state";
import type { Lines } from "../yaml/lines";
import { type Entry, outlineOf } from "../yaml/outline";

/** The lines of a text. */
export function linesOf(doc: Text): Lines {
  return { count: doc.lines, line: (number) => doc.line(number).text };
}

const outlines = new WeakMap<Text, Entry[]>();

/** The outline of a text. */
export function outline(doc: Text): Entry[] {
  const known = outlines.get(doc);
  if (known) return known;
  const lines = [...doc.iterLines()];
  const made = outlineOf({ count: lines.length, line: (number) => lines[number - 1] ?? "" });
  outlines.set(doc, made);
  return made;
}
