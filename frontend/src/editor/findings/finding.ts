/** PURE. Findings: from the server's lines and characters to places of the text, and what is said of them together. */

import { Characters } from "../text/characters";
import type { Fault } from "./syntax";

export type Severity = "error" | "warning" | "info";

/** Put `text` where the characters `start` to `end` (excluded) are. */
export interface ServerEdit {
  start: number;
  end: number;
  text: string;
}

/** As the API has it: lines and columns from 1 (0: no place), offsets, all in characters. */
export interface ServerFinding {
  rule: string;
  severity: Severity;
  message: string;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  doc_url: string;
  fixes: { title: string; edits: ServerEdit[] }[];
}

export interface Edit {
  from: number;
  to: number;
  insert: string;
}

export interface Fix {
  title: string;
  edits: Edit[];
}

/** A finding at its place in the text, in UTF-16 units. */
export interface Finding {
  rule: string;
  severity: Severity;
  message: string;
  /** null when it is about the whole text. */
  place: { from: number; to: number } | null;
  link: string;
  fixes: Fix[];
  /** `browser`: a fault of syntax that the server has not seen yet. */
  source: "server" | "browser";
}

/** The server's findings about a text (its lines end with LF), in the order of the text. */
export function placed(findings: readonly ServerFinding[], text: string): Finding[] {
  const characters = new Characters(text);
  const starts = lineStarts(text);
  const offset = (line: number, column: number): number => {
    const start = starts[Math.min(line, starts.length) - 1] ?? 0;
    const end = starts[line] === undefined ? text.length : (starts[line] ?? 0) - 1;
    return Math.min(start + new Characters(text.slice(start, end)).toUnits(Math.max(column - 1, 0)), end);
  };
  return findings
    .map((one): Finding => ({
      rule: one.rule,
      severity: one.severity,
      message: one.message,
      place: one.line > 0 ? between(offset(one.line, one.column), offset(one.end_line, one.end_column)) : null,
      link: one.doc_url,
      fixes: one.fixes.map((fix) => ({ title: fix.title, edits: fix.edits.map((edit) => placedEdit(edit, characters)) })),
      source: "server",
    }))
    .sort(inOrder);
}

function placedEdit({ start, end, text }: ServerEdit, characters: Characters): Edit {
  return { from: characters.toUnits(start), to: characters.toUnits(end), insert: text };
}

function between(from: number, to: number): { from: number; to: number } {
  return { from, to: Math.max(from, to) };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

function inOrder(one: Finding, other: Finding): number {
  return (one.place?.from ?? -1) - (other.place?.from ?? -1) || RANK[one.severity] - RANK[other.severity];
}

/** The worst first, and those of one severity in the order of the text. */
export function byWorst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => RANK[one.severity] - RANK[other.severity] || inOrder(one, other));
}

/** The findings with other faults of syntax: those that the browser found before are gone. */
export function withFaults(findings: readonly Finding[], faults: readonly Fault[]): Finding[] {
  const others = findings.filter((finding) => finding.source === "server");
  const found = faults.map(({ from, to, message }): Finding => ({
    rule: "YAML", severity: "error", message, place: { from, to }, link: "", fixes: [], source: "browser",
  }));
  return [...others, ...found].sort(inOrder);
}

/** What a change of the text does to offsets: CodeMirror's ChangeDesc. */
export interface Changes {
  mapPos(offset: number, towards: 1 | -1): number;
  touchesRange(from: number, to: number): boolean | "cover";
}

/** Findings after a change of the text. A fix whose place was changed is no longer certain: it goes. */
export function moved(findings: readonly Finding[], changes: Changes): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    place: finding.place && {
      from: changes.mapPos(finding.place.from, 1),
      to: Math.max(changes.mapPos(finding.place.from, 1), changes.mapPos(finding.place.to, -1)),
    },
    fixes: finding.fixes
      .filter((fix) => fix.edits.every((edit) => !changes.touchesRange(edit.from, edit.to)))
      .map((fix) => ({ ...fix, edits: fix.edits.map((edit) => movedEdit(edit, changes)) })),
  }));
}

function movedEdit(edit: Edit, changes: Changes): Edit {
  return { ...edit, from: changes.mapPos(edit.from, 1), to: changes.mapPos(edit.to, -1) };
}

/** The next finding behind an offset (or the one before it), going round at the end; null when none has a place. */
export function neighbour(findings: readonly Finding[], offset: number, step: 1 | -1): Finding | null {
  const some = findings.filter((finding) => finding.place !== null);
  const from = (finding: Finding): number => finding.place?.from ?? 0;
  if (step > 0) return some.find((finding) => from(finding) > offset) ?? some[0] ?? null;
  return some.findLast((finding) => from(finding) < offset) ?? some.at(-1) ?? null;
}

export interface Counts {
  error: number;
  warning: number;
  info: number;
}

export function counted(findings: readonly Finding[]): Counts {
  const counts: Counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

/** `3 errors, 2 warnings`; "No findings" when there are none. */
export function countWords({ error, warning, info }: Counts): string {
  const words = [plural(error, "error"), plural(warning, "warning"), plural(info, "hint")].filter(Boolean);
  return words.join(", ") || "No findings";
}

function plural(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The worst of some findings. */
export function worst(findings: readonly Finding[]): Severity | null {
  const [first] = findings.map((finding) => finding.severity).sort((one, other) => RANK[one] - RANK[other]);
  return first ?? null;
}
