/** PURE. What a configuration is made of, with the line of each part. */

import { flowKeys } from "./flow";
import { beginsBlock, beginsFlow, indentOf, isBlank, type Lines, readLine } from "./lines";

export type Kind = "receivers" | "processors" | "exporters" | "connectors" | "extensions";

export const KINDS: readonly Kind[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

export interface Entry {
  name: string;
  /** From 1. */
  line: number;
  children: Entry[];
}

/** Sections, in them components, in `service` its parts and under its pipelines each pipeline. */
export function outlineOf(lines: Lines): Entry[] {
  const sections: Entry[] = [];
  for (const { path, line } of keys(lines)) {
    if (path.length > depthOf(path)) continue;
    const parent = path.slice(0, -1).reduce<Entry[] | undefined>((list, name) => childrenOf(list, name), sections);
    parent?.push({ name: path.at(-1) ?? "", line, children: [] });
  }
  return sections;
}

function depthOf(path: string[]): number {
  return path[0] === "service" && path[1] === "pipelines" ? 3 : 2;
}

function childrenOf(list: Entry[] | undefined, name: string): Entry[] | undefined {
  return list?.findLast((entry) => entry.name === name)?.children;
}

/** The ids of the components of each kind. */
export function idsOf(sections: readonly Entry[]): Record<Kind, string[]> {
  const of = (kind: Kind): string[] =>
    sections.filter((entry) => entry.name === kind).flatMap((entry) => entry.children.map((child) => child.name));
  return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)])) as Record<Kind, string[]>;
}

/** The deepest entry that a line belongs to, with those around it, outermost first. */
export function entriesAt(sections: readonly Entry[], line: number): Entry[] {
  const entry = sections.findLast((one) => one.line <= line);
  return entry ? [entry, ...entriesAt(entry.children, line)] : [];
}

interface Key {
  path: string[];
  line: number;
}

/** The keys that no list holds, down to three levels. */
function* keys(lines: Lines): Generator<Key> {
  const open: { column: number; name: string }[] = [];
  let blockColumn = Infinity;
  for (let line = 1; line <= lines.count; line += 1) {
    const text = lines.line(line);
    const indent = indentOf(text);
    if (isBlank(text) || indent > blockColumn) continue;
    blockColumn = Infinity;
    while (open.length > 0 && (open.at(-1)?.column ?? 0) >= indent) open.pop();
    if (open.length > 2) continue;
    const { marks, value } = readLine(text);
    const [mark] = marks;
    if (!mark) continue;
    if (beginsBlock(value)) blockColumn = marks.at(-1)?.column ?? 0;
    if (mark.key === null) continue;
    open.push({ column: mark.column, name: mark.key });
    const path = open.map((one) => one.name);
    yield { path, line };
    if (beginsFlow(value)) for (const name of flowKeys(value)) yield { path: [...path, name], line };
  }
}
