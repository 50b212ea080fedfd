/**
 * How the editor looks, in the colours of the page (styles/tokens.css). CodeMirror lives in a shadow root: there its
 * styles are constructed sheets, which a content security policy without 'unsafe-inline' and without nonces allows.
 */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { MOST_GUIDES } from "./guides";

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--code-key)" },
  { tag: [tags.string, tags.content], color: "var(--code-text)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink3)", fontStyle: "italic" },
  { tag: [tags.labelName, tags.typeName, tags.keyword, tags.meta], color: "var(--code-reference)" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--ink2)" },
]);

const guides = Object.fromEntries(
  Array.from({ length: MOST_GUIDES }, (_, at) => [`.cm-guides-${at + 1}`, { backgroundSize: `${2 * (at + 1)}ch 100%` }]),
);

const text = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", fontSize: "inherit" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.1875rem", overflow: "auto", overscrollBehavior: "contain" },
  ".cm-content": { padding: ".375rem 0", caretColor: "var(--ink)" },
  ".cm-content:focus-visible": { outline: "none" },
  ".cm-content ::selection, .cm-line::selection": { backgroundColor: "var(--select)" },
  ".cm-line": { padding: "0 .5rem 0 .375rem" },
  "[class*=cm-guides-]": {
    backgroundImage: "repeating-linear-gradient(to right, var(--line) 0 1px, transparent 1px 2ch)",
    backgroundRepeat: "no-repeat",
    backgroundOrigin: "content-box",
  },
  ...guides,
  ".cm-activeLine": { backgroundColor: "color-mix(in oklab, var(--wire-tint) 55%, transparent)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--ink3)", border: "none", fontSize: ".6875rem" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 .25rem 0 .5rem", minWidth: "2rem" },
  ".cm-foldGutter .cm-gutterElement": { width: ".875rem", textAlign: "center", cursor: "pointer" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", border: "1px solid var(--line)", color: "var(--ink2)", padding: "0 .25rem" },
  ".cm-reference, .cm-reference *": { color: "var(--code-reference)" },
  ".cm-number, .cm-number *": { color: "var(--code-number)" },
  ".cm-placeholder": { color: "var(--ink3)" },
  ".cm-selectionMatch": { backgroundColor: "var(--sunken)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-tint)", outline: "1px solid var(--warn-fill)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--select)" },
});

const findings = EditorView.theme({
  ".is-error": { "--c": "var(--fail)", "--t": "var(--fail-tint)" },
  ".is-warning": { "--c": "var(--warn)", "--t": "var(--warn-tint)" },
  ".is-info": { "--c": "var(--idle)", "--t": "var(--sunken)" },
  ".cm-hot": { backgroundColor: "var(--t)" },
  ".cm-finding": {
    textDecoration: "underline wavy var(--c)", textDecorationThickness: "1px", textUnderlineOffset: "3px",
  },
  ".cm-signs": { width: "1.25rem" },
  ".cm-signs .cm-gutterElement": { display: "grid", placeItems: "center" },
  ".i": {
    width: ".75rem", height: ".75rem", flex: "none", fill: "none", stroke: "var(--c, currentColor)", strokeWidth: "2",
    strokeLinecap: "round", strokeLinejoin: "round",
  },
});

const FLOATING = {
  backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: ".5rem",
  boxShadow: "var(--shadow)", fontFamily: "var(--sans)", fontSize: ".75rem",
};

const floating = EditorView.theme({
  ".cm-tooltip": FLOATING,
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem", minWidth: "14rem", padding: ".25rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    display: "flex", gap: ".75rem", padding: ".125rem .5rem", lineHeight: "1.25rem", borderRadius: ".25rem",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--wire-tint)", color: "var(--ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700", color: "var(--wire)" },
  ".cm-completionDetail": {
    marginLeft: "auto", fontStyle: "normal", fontFamily: "var(--sans)", fontSize: ".6875rem", color: "var(--ink3)",
    overflow: "hidden", textOverflow: "ellipsis", maxWidth: "14rem",
  },
  "li[aria-selected] .cm-completionDetail": { color: "var(--ink2)" },
  ".cm-option-old .cm-completionLabel": { textDecoration: "line-through" },
  ".cm-completionInfo": { maxWidth: "18rem", padding: ".5rem .75rem", margin: "0 .25rem" },
  ".cm-about": { maxWidth: "min(26rem, 88vw)", maxHeight: "18rem", overflowY: "auto" },
  ".cm-card": { lineHeight: "1.125rem" },
  ".cm-about > .cm-card": { padding: ".5rem .75rem" },
  ".cm-about > .cm-card + .cm-card": { borderTop: "1px solid var(--line-soft)" },
  ".cm-card p": { margin: "0" },
  ".cm-card-title": { fontFamily: "var(--mono)", fontWeight: "600" },
  ".cm-card dl": { display: "grid", gridTemplateColumns: "auto minmax(0, 1fr)", gap: "0 .75rem", margin: ".125rem 0 0" },
  ".cm-card dt": { color: "var(--ink3)" },
  ".cm-card dd": { margin: "0", overflowWrap: "anywhere" },
  ".cm-card-note": { color: "var(--warn)" },
  ".cm-card a": { color: "var(--wire)", textDecoration: "underline", textUnderlineOffset: "2px" },
  ".cm-card-finding": { display: "grid", gridTemplateColumns: "auto minmax(0, 1fr)", gap: ".5rem" },
  ".cm-card-finding .i": { marginTop: ".1875rem" },
});

const CONTROL = {
  font: "550 .75rem/1.5rem var(--sans)", backgroundColor: "var(--panel)", backgroundImage: "none", color: "var(--ink)",
  border: "1px solid var(--edge)", borderRadius: ".375rem", cursor: "pointer",
};

const panels = EditorView.theme({
  ".cm-fix": { ...CONTROL, padding: "0 .5rem", marginTop: ".375rem" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", fontFamily: "var(--sans)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { display: "flex", flexWrap: "wrap", gap: ".375rem", alignItems: "center", padding: ".5rem 2.25rem .5rem .625rem" },
  ".cm-panel.cm-search br": { flexBasis: "100%", content: "''" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: ".25rem", fontSize: ".75rem", minHeight: "1.5rem" },
  ".cm-panel input.cm-textfield": { ...CONTROL, cursor: "text", fontFamily: "var(--mono)", fontWeight: "400", padding: "0 .5rem", margin: "0", width: "12rem" },
  ".cm-panel .cm-button": { ...CONTROL, padding: "0 .5rem", margin: "0" },
  ".cm-panel .cm-button:hover, .cm-fix:hover": { backgroundColor: "var(--sunken)", backgroundImage: "none" },
  ".cm-panel.cm-search [name=close]": { color: "var(--ink2)", fontSize: "1rem", width: "1.5rem", height: "1.5rem", top: ".5rem", right: ".5rem", cursor: "pointer" },
  ".cm-panel.cm-gotoLine": { padding: ".5rem .625rem" },
  ":focus-visible": { outline: "2px solid var(--wire)", outlineOffset: "1px" },
});

export const theme: Extension = [syntaxHighlighting(colours), text, findings, floating, panels];
