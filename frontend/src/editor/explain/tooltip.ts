/** Hovering over a word says what it is and what is wrong with it; so does Ctrl+Shift+Space at the cursor. */

import { type Extension, Prec, StateEffect, StateField } from "@codemirror/state";
import { type Command, EditorView, hoverTooltip, keymap, showTooltip, type Tooltip } from "@codemirror/view";
import type { CatalogClient } from "../catalog/client";
import { componentOf } from "../catalog/known";
import { applyFix, findingsAt } from "../findings/field";
import type { Finding } from "../findings/finding";
import { linesOf } from "../view/document";
import { subjectAt, type Subject } from "../yaml/place";
import { card, findingCard } from "./card";
import { aboutComponent, aboutSetting, type Explained, namedBy, settingOf, spoken } from "./words";

interface About {
  from: number;
  to: number;
  findings: Finding[];
  explained: Explained | null;
}

async function about(view: EditorView, catalog: CatalogClient, offset: number): Promise<About | null> {
  const line = view.state.doc.lineAt(offset);
  const subject = subjectAt(linesOf(view.state.doc), line.number, offset - line.from);
  const findings = findingsAt(view, offset);
  const explained = subject && (await explain(catalog, subject));
  if (findings.length === 0 && !explained) return null;
  const [from, to] = subject ? [line.from + subject.from, line.from + subject.to] : [offset, offset];
  return { from, to, findings, explained };
}

async function explain(catalog: CatalogClient, subject: Subject): Promise<Explained | null> {
  const named = namedBy(subject);
  if (named) return aboutComponent(await catalog.components(), named.kinds, named.id);
  const setting = settingOf(subject);
  if (!setting) return null;
  const component = componentOf(await catalog.components(), setting.kind, setting.id);
  if (!component) return null;
  return aboutSetting(await catalog.settings(setting.kind, component.type), setting.rest, component.doc_url);
}

function tooltipOf(view: EditorView, { from, to, findings, explained }: About): Tooltip {
  const fix = view.state.readOnly ? null : applyFix.bind(null, view);
  const create = () => {
    const dom = document.createElement("div");
    dom.className = "cm-about";
    dom.append(...findings.map((finding) => findingCard(finding, fix)), ...(explained ? [card(explained)] : []));
    return { dom };
  };
  return { pos: from, end: to, above: true, create };
}

const show = StateEffect.define<Tooltip | null>();

/** What was asked for by key, until the cursor moves or something is typed. */
const asked = StateField.define<Tooltip | null>({
  create: () => null,
  update(tooltip, transaction) {
    for (const effect of transaction.effects) if (effect.is(show)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : tooltip;
  },
  provide: (field) => showTooltip.from(field),
});

function explainHere(catalog: CatalogClient): Command {
  return (view) => {
    const { state } = view;
    void about(view, catalog, state.selection.main.head).then((found) => {
      if (view.state !== state) return;
      const words = found && [...found.findings.map((one) => one.message), ...(found.explained ? [spoken(found.explained)] : [])];
      const said = EditorView.announce.of(words?.join(" ") ?? "Nothing is known of this.");
      view.dispatch({ effects: [said, show.of(found && tooltipOf(view, found))] });
    });
    return true;
  };
}

const hide: Command = (view) => {
  if (!view.state.field(asked)) return false;
  view.dispatch({ effects: show.of(null) });
  return true;
};

/** Tooltips by pointer and by key. */
export function explaining(catalog: CatalogClient): Extension {
  return [
    asked,
    hoverTooltip(async (view, offset) => {
      const found = await about(view, catalog, offset);
      return found && tooltipOf(view, found);
    }),
    keymap.of([{ key: "Mod-Shift-Space", run: explainHere(catalog) }]),
    Prec.high(keymap.of([{ key: "Escape", run: hide }])),
  ];
}
