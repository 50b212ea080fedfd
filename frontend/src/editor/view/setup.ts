/** The parts of CodeMirror that the editor is made of. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { codeFolding, foldGutter, foldKeymap, indentService, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, placeholder,
} from "@codemirror/view";
import { findingsShown, fixHere, goToNeighbour } from "../findings/field";
import { indentAfter, UNIT } from "../yaml/indent";
import { yaml } from "../yaml/language";
import { guides } from "./guides";
import { theme } from "./theme";
import { values } from "./values";

export interface Manners {
  label: string;
  description: string;
  placeholder: string;
  isReadOnly: boolean;
}

/** How far a new line goes in. A line that is there already keeps its indentation: in YAML it has a meaning. */
const indentation = indentService.of((context, position) => {
  if (context.simulatedBreak === null) return null;
  return indentAfter(context.lineAt(position, -1).text);
});

const keys = keymap.of([
  { key: "F8", run: goToNeighbour(1), shift: goToNeighbour(-1) },
  { key: "Mod-.", run: fixHere },
  indentWithTab,
  ...searchKeymap, ...foldKeymap, ...historyKeymap, ...defaultKeymap,
]);

/** All that does not depend on the server. */
export function basics(manners: Manners): Extension {
  const { isReadOnly } = manners;
  return [
    lineNumbers(), findingsShown, foldGutter({ openText: "⌄", closedText: "›" }), codeFolding(),
    history(), highlightSpecialChars(), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
    EditorState.readOnly.of(isReadOnly), EditorView.editable.of(!isReadOnly), EditorState.tabSize.of(UNIT),
    indentUnit.of(" ".repeat(UNIT)), indentation, yaml(), values, guides, theme,
    search({ top: true }), keys, placeholder(manners.placeholder),
    EditorView.contentAttributes.of({
      "aria-label": manners.label, "aria-description": manners.description, tabindex: "0",
      ...(isReadOnly ? { "aria-readonly": "true" } : {}),
    }),
  ];
}
