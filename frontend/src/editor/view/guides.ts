/** Guides: a fine line in each column that something above begins in. Only lines in the window are looked at. */

import { type Range, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { isBlank } from "../yaml/lines";
import { guidesOf } from "../yaml/indent";

export const MOST_GUIDES = 12;
const FAR = 40;

const LINES = Array.from({ length: MOST_GUIDES + 1 }, (_, count) => Decoration.line({ class: `cm-guides-${count}` }));

function drawn(view: EditorView): DecorationSet {
  const { doc } = view.state;
  const found: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = doc.lineAt(at);
      const count = Math.min(guidesOf(line.text === "" ? below(doc, line.number) : line.text), MOST_GUIDES);
      const decoration = LINES[count];
      if (count > 0 && decoration) found.push(decoration.range(line.from));
      at = line.to + 1;
    }
  }
  return Decoration.set(found);
}

/** The next line that says something: an empty line has its guides. */
function below(doc: Text, number: number): string {
  const last = Math.min(doc.lines, number + FAR);
  for (let at = number + 1; at <= last; at += 1) {
    const { text } = doc.line(at);
    if (!isBlank(text)) return text;
  }
  return "";
}

export const guides = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = drawn(view);
    }

    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged) this.decorations = drawn(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
