/** Completion: what `options.ts` knows, as CodeMirror shows it. */

import {
  acceptCompletion, autocompletion, type Completion, type CompletionContext, type CompletionResult, insertCompletionText,
  pickedCompletion,
} from "@codemirror/autocomplete";
import { type Extension, Prec, type Text } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";
import type { CatalogClient } from "../catalog/client";
import { componentOf, ownerOf } from "../catalog/known";
import { card } from "../explain/card";
import { ofComponent, ofField } from "../explain/words";
import { linesOf, outline } from "../view/document";
import { namesUsed, referenceTyped } from "../yaml/names";
import { idsOf } from "../yaml/outline";
import { type Place, placeAt } from "../yaml/place";
import { type Known, type Option, optionsAt, rankOf } from "./options";

const WORD = /^[^\s,[\]{}]*$/;

function sourceOf(catalog: CatalogClient) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const { doc } = context.state;
    const line = doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const reference = referenceTyped(before);
    if (reference !== null) return variables(doc, context.pos - reference.length);
    const place = placeAt(linesOf(doc), line.number, before.length);
    if (!place || !(context.explicit || isNext(place))) return null;
    const options = optionsAt(place, await knownAt(catalog, doc, place));
    if (context.aborted || options.length === 0) return null;
    return { from: context.pos - place.typed.length, options: options.map(shown), validFor: WORD };
  };
}

/** Offered without being asked: behind what was typed, and where a value or item begins. */
function isNext(place: Place): boolean {
  return place.typed !== "" || place.at !== "key";
}

async function knownAt(catalog: CatalogClient, doc: Text, place: Place): Promise<Known> {
  const components = await catalog.components();
  const owner = ownerOf(place.path);
  const component = owner && componentOf(components, owner.kind, owner.id);
  const settings = component ? await catalog.settings(component.kind, component.type) : null;
  return { components, settings, ids: idsOf(outline(doc)) };
}

function variables(doc: Text, from: number): CompletionResult {
  const names = namesUsed(doc.toString());
  const options = names.map((name): Completion => ({ label: `env:${name}`, type: "variable", detail: "used here", apply: closing }));
  return { from, options: [...options, { label: "env:", type: "variable", detail: "a variable of the host" }], validFor: /^[\w:]*$/ };
}

/** Write a variable's name, and the bracket behind it when it is not there. */
function closing(view: EditorView, completion: Completion, from: number, to: number): void {
  const isClosed = view.state.sliceDoc(to, to + 1) === "}";
  insert(view, completion, completion.label + (isClosed ? "" : "}"), from, to);
}

function shown(option: Option): Completion {
  const about = option.component ? ofComponent(option.component) : option.field ? ofField(option.field) : null;
  return {
    label: option.label,
    detail: option.detail,
    type: option.isOld ? "old" : option.what,
    boost: option.isOld ? -50 : option.component ? rankOf(option.component) : 0,
    ...(about ? { info: () => card(about) } : {}),
    apply: (view, completion, from, to) => put(view, completion, option, from, to),
  };
}

/** Write an option. Where something follows already, the name alone is exchanged. */
function put(view: EditorView, completion: Completion, option: Option, from: number, to: number): void {
  const line = view.state.doc.lineAt(to);
  const isLast = /^[\s\]}]*(?:#.*)?$/.test(view.state.sliceDoc(to, line.to));
  if (option.apply === undefined || !isLast) insert(view, completion, option.label, from, to);
  else insert(view, completion, option.apply, from, to, option.back);
}

function insert(view: EditorView, completion: Completion, text: string, from: number, to: number, back = 0): void {
  const change = insertCompletionText(view.state, text, from, to);
  view.dispatch(change, { annotations: pickedCompletion.of(completion), scrollIntoView: true });
  if (back > 0) view.dispatch({ selection: { anchor: view.state.selection.main.head - back } });
}

/** Completion as one types, and by Ctrl+Space. */
export function completing(catalog: CatalogClient): Extension {
  return [
    autocompletion({
      override: [sourceOf(catalog)],
      icons: false,
      optionClass: (completion) => `cm-option-${completion.type ?? ""}`,
      activateOnCompletion: (completion) => completion.type === "section" || completion.type === "field",
    }),
    Prec.high(keymap.of([{ key: "Tab", run: acceptCompletion }])),
  ];
}
