/** Colours inside of values that the grammar does not know: references to variables, numbers, durations, truths. */

import { syntaxTree } from "@codemirror/language";
import { Decoration, type DecorationSet, type EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";

const REFERENCE = Decoration.mark({ class: "cm-reference" });
const NUMBER = Decoration.mark({ class: "cm-number" });
const UNIT = "(?:ns|us|µs|ms|s|m|h)";
const SINGLE = `[+-]?\\d[\\d_.]*(?:[eE][+-]?\\d+)?(?:${UNIT}(?:\\d[\\d.]*${UNIT})*)?|true|false|null|~`;
const VALUE = new RegExp(`\\$\\$|\\$\\{[^}]*\\}|(?<=[:-]\\s{1,8}|[,[]\\s{0,8})(?:${SINGLE})(?=\\s*(?:$|,|\\]|\\}|\\s#))`, "g");
const WORDS = new Set(["QuotedLiteral", "BlockLiteralContent"]);

const matcher = new MatchDecorator({
  regexp: VALUE,
  decorate: (add, from, to, [word], view) => {
    const isReference = word?.startsWith("$") ?? false;
    const { name } = syntaxTree(view.state).resolveInner(from, 1);
    if (name === "Comment" || (!isReference && WORDS.has(name))) return;
    add(from, to, isReference ? REFERENCE : NUMBER);
  },
});

export const values = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = matcher.createDeco(view);
    }

    update(update: ViewUpdate): void {
      this.decorations = matcher.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
