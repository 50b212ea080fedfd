/** Findings as a part of the editor's state: they move with the text, and are drawn in it and beside it. */

import { isolateHistory } from "@codemirror/commands";
import { type Extension, type Range, RangeSet, StateEffect, StateField, type Text } from "@codemirror/state";
import { type Command, Decoration, type DecorationSet, EditorView, gutter, GutterMarker } from "@codemirror/view";
import { icon, ICON_OF } from "../panel/icons";
import { type Finding, type Fix, moved, neighbour, type Severity, worst } from "./finding";

interface Shown {
  findings: readonly Finding[];
  drawn: DecorationSet;
  signs: RangeSet<GutterMarker>;
}

const NOTHING: Shown = { findings: [], drawn: Decoration.none, signs: RangeSet.empty };

/** Put these findings in the place of all others. */
export const setFindings = StateEffect.define<readonly Finding[]>();

const field = StateField.define<Shown>({
  create: () => NOTHING,
  update(shown, transaction) {
    const set = transaction.effects.findLast((effect) => effect.is(setFindings));
    if (set) return draw(set.value as readonly Finding[], transaction.newDoc);
    if (!transaction.docChanged || shown.findings.length === 0) return shown;
    const { changes } = transaction;
    return {
      findings: moved(shown.findings, changes), drawn: shown.drawn.map(changes), signs: shown.signs.map(changes),
    };
  },
  provide: (self) => EditorView.decorations.from(self, (shown) => shown.drawn),
});

class Sign extends GutterMarker {
  constructor(private readonly severity: Severity) {
    super();
  }

  override eq(other: Sign): boolean {
    return this.severity === other.severity;
  }

  override toDOM(): Node {
    const sign = icon(ICON_OF[this.severity]);
    sign.classList.add(`is-${this.severity}`);
    return sign;
  }
}

const SEVERITIES = ["error", "warning", "info"] as const;
const SIGN = Object.fromEntries(SEVERITIES.map((one) => [one, new Sign(one)])) as Record<Severity, Sign>;
const MARK = Object.fromEntries(
  SEVERITIES.map((one) => [one, Decoration.mark({ class: `cm-finding is-${one}` })]),
) as Record<Severity, Decoration>;
const LINE = Object.fromEntries(
  SEVERITIES.map((one) => [one, Decoration.line({ class: `cm-hot is-${one}` })]),
) as Record<Severity, Decoration>;

function draw(findings: readonly Finding[], doc: Text): Shown {
  const byLine = new Map<number, Finding[]>();
  const marks: Range<Decoration>[] = [];
  for (const finding of findings) {
    if (!finding.place) continue;
    const line = doc.lineAt(Math.min(finding.place.from, doc.length));
    byLine.set(line.from, [...(byLine.get(line.from) ?? []), finding]);
    const to = Math.min(Math.max(finding.place.to, finding.place.from + 1), line.to);
    if (finding.place.from < to) marks.push(MARK[finding.severity].range(finding.place.from, to));
  }
  const lines = [...byLine].map(([from, some]): [number, Severity] => [from, worst(some) ?? "info"]);
  return {
    findings,
    drawn: Decoration.set([...marks, ...lines.map(([from, severity]) => LINE[severity].range(from))], true),
    signs: RangeSet.of(lines.map(([from, severity]) => SIGN[severity].range(from)), true),
  };
}

/** The findings that are shown now. */
export function findingsIn(view: EditorView): readonly Finding[] {
  return view.state.field(field).findings;
}

/** Findings that cover an offset. */
export function findingsAt(view: EditorView, offset: number): Finding[] {
  return findingsIn(view).filter(({ place }) => place && place.from <= offset && offset <= Math.max(place.to, place.from + 1));
}

/** Put the cursor at a finding, into the middle of the window. */
export function goTo(view: EditorView, finding: Finding): void {
  const offset = Math.min(finding.place?.from ?? 0, view.state.doc.length);
  const all = findingsIn(view);
  view.focus();
  view.dispatch({
    selection: { anchor: offset },
    effects: [
      EditorView.scrollIntoView(offset, { y: "center" }),
      EditorView.announce.of(`${finding.severity} ${all.indexOf(finding) + 1} of ${all.length}: ${finding.message}`),
    ],
  });
}

/** F8 and Shift+F8. */
export function goToNeighbour(step: 1 | -1): Command {
  return (view) => {
    const next = neighbour(findingsIn(view), view.state.selection.main.head, step);
    if (next) goTo(view, next);
    return next !== null;
  };
}

/** Make the edits of a fix, as one step of undo. */
export function applyFix(view: EditorView, fix: Fix): void {
  const [first] = fix.edits;
  if (!first || view.state.readOnly) return;
  view.dispatch({
    changes: fix.edits,
    selection: { anchor: first.from },
    annotations: isolateHistory.of("full"),
    userEvent: "input.fix",
    effects: [EditorView.scrollIntoView(first.from, { y: "center" }), EditorView.announce.of(`Done: ${fix.title}`)],
  });
  view.focus();
}

/** Ctrl+. : the fix of the finding at the cursor, or on its line. */
export const fixHere: Command = (view) => {
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  const onLine = findingsIn(view).filter(({ place }) => place && place.from >= line.from && place.from <= line.to);
  const [fix] = [...findingsAt(view, head), ...onLine].flatMap((finding) => finding.fixes);
  if (fix) applyFix(view, fix);
  return fix !== undefined;
};

/** The state, and the signs beside the lines. */
export const findingsShown: Extension = [
  field,
  gutter({ class: "cm-signs", markers: (view) => view.state.field(field).signs, initialSpacer: () => SIGN.error }),
];
