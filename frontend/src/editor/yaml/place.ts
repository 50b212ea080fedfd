/** PURE. Where in a configuration a cursor is, found from lines and indentation alone: it works while text is broken. */

import { flowAtEnd, itemsAfter } from "./flow";
import {
  beginsBlock, beginsFlow, indentOf, isBlank, isOpen, type Lines, type Mark, readLine, withoutComment,
} from "./lines";

/** Keys, and numbers of list items from 0. */
export type Path = (string | number)[];

export interface Place {
  /** Of the map that a key is typed in, of the list that an item is typed in, or of the value. */
  path: Path;
  at: "key" | "item" | "value";
  /** What stands there already, up to the cursor. */
  typed: string;
  /** The column in which a key is typed: what is below it stands further right. */
  column: number;
  /** Between brackets. */
  isFlow: boolean;
  /** Keys or items that the same map or list has beside this one. */
  others: string[];
}

interface Above {
  path: Path;
  /** The text of a list or map in brackets from its bracket to the line above, when the place is inside one. */
  flow: string | null;
}

const DOCUMENT = /^(?:---|\.\.\.)(?:\s|$)/;

/** What is at a column (from 0) of a line (from 1); null where no key, item or value of its own can be. */
export function placeAt(lines: Lines, number: number, column: number): Place | null {
  const line = lines.line(number);
  const before = line.slice(0, column);
  if (withoutComment(before) !== before) return null;
  const { marks, value, valueFrom } = readLine(before);
  const first = marks[0] ?? { column: indentOf(before), key: "" };
  const above = pathAbove(lines, number, first);
  if (!above) return null;
  if (above.flow !== null) return inFlow(above.path, `${above.flow}\n${before}`, line.slice(column));
  const path = [...above.path, ...keysOf(lines, number, marks)];
  const typed = before.slice(valueFrom);
  if (beginsFlow(value)) return inFlow(path, typed, line.slice(column));
  const last = marks.at(-1);
  if (last && last.key !== null) return atValue(before, path, typed, last.column);
  if (!last) return { path, at: "key", typed, column: first.column, isFlow: false, others: siblings(lines, number, first) };
  return { path: path.slice(0, -1), at: "item", typed, column: valueFrom, isFlow: false, others: siblings(lines, number, last) };
}


function atValue(before: string, path: Path, typed: string, column: number): Place | null {
  if (beginsBlock(typed) || before.endsWith(":")) return null;
  return { path, at: "value", typed, column, isFlow: false, others: [] };
}

function inFlow(outer: Path, text: string, after: string): Place | null {
  const flow = flowAtEnd(text.slice(text.search(/[[{]/)));
  if (!flow) return null;
  const others = flow.at === "item" ? [...flow.before, ...itemsAfter(after)] : flow.before;
  return { path: [...outer, ...flow.path], at: flow.at, typed: flow.typed, column: 0, isFlow: true, others };
}

/** The keys and items around a mark on a line; null inside a text, or below a value that holds nothing. */
function pathAbove(lines: Lines, number: number, mark: Mark): Above | null {
  const path: Path = [];
  let here = mark;
  for (let up = number - 1; up >= 1; up -= 1) {
    const line = lines.line(up);
    if (indentOf(line) > here.column || isBlank(line)) continue;
    if (DOCUMENT.test(line)) break;
    const { marks, value, valueFrom } = readLine(line);
    const around = marks.slice(0, marks.findLastIndex((one) => holds(one, here)) + 1);
    const [outermost] = around;
    if (!outermost) continue;
    if (around.length === marks.length && beginsFlow(value)) return insideFlow(lines, number, up, around, valueFrom);
    if (around.length === marks.length && !isOpen(value)) return null;
    path.unshift(...keysOf(lines, up, around));
    here = outermost;
  }
  return { path, flow: null };
}

/** Whether a mark of a line above holds one: a list may stand in the same column as its key. */
function holds(outer: Mark, inner: Mark): boolean {
  return outer.column < inner.column || (outer.column === inner.column && outer.key !== null && inner.key === null);
}

function insideFlow(lines: Lines, number: number, up: number, marks: Mark[], column: number): Above | null {
  const outer = marks[0] && pathAbove(lines, up, marks[0]);
  if (!outer) return null;
  const parts = [lines.line(up).slice(column)];
  for (let at = up + 1; at < number; at += 1) parts.push(lines.line(at));
  return { path: [...outer.path, ...keysOf(lines, up, marks)], flow: parts.map(withoutComment).join("\n") };
}

function keysOf(lines: Lines, number: number, marks: Mark[]): Path {
  return marks.map((mark, at) => mark.key ?? (at === 0 ? indexOf(lines, number, mark) : 0));
}

/** Which item of its list a dash is that begins a line. */
function indexOf(lines: Lines, number: number, dash: Mark): number {
  let index = 0;
  for (let up = number - 1; up >= 1; up -= 1) {
    const line = lines.line(up);
    if (indentOf(line) > dash.column || isBlank(line)) continue;
    if (indentOf(line) < dash.column || readLine(line).marks[0]?.key !== null) break;
    index += 1;
  }
  return index;
}

/** The keys, or single values of items, in the same column of the same map or list. */
function siblings(lines: Lines, number: number, mark: Mark): string[] {
  return [...beside(lines, number, -1, mark), ...beside(lines, number, 1, mark)].filter(Boolean);
}

function* beside(lines: Lines, number: number, step: 1 | -1, mark: Mark): Generator<string> {
  const isItem = mark.key === null;
  for (let at = number + step; at >= 1 && at <= lines.count; at += step) {
    const line = lines.line(at);
    if (indentOf(line) > mark.column || isBlank(line)) continue;
    const { marks, value } = readLine(line);
    const same = marks.find((one) => one.column === mark.column && (one.key === null) === isItem);
    if (same) yield same.key ?? (marks.length === 1 ? value : "");
    // A dash in the column of a key is what that key holds.
    if (indentOf(line) < mark.column || (isItem && !same)) return;
  }
}

/** A word of the text, and where it stands in the configuration. */
export interface Subject {
  path: Path;
  /** `key`: the last part of the path is the word itself. `value`: the path leads to the value, or to its list. */
  part: "key" | "value";
  word: string;
  /** Columns of the line. */
  from: number;
  to: number;
}

const WORD = /[^\s,[\]{}"']+/g;

/** What the word around a column is; null for comments and blanks. */
export function subjectAt(lines: Lines, number: number, column: number): Subject | null {
  const line = lines.line(number);
  for (const match of line.matchAll(WORD)) {
    const from = match.index;
    const word = match[0].replace(/:$/, "");
    const to = from + word.length;
    if (column < from || column > to || word === "" || word === "-") continue;
    const place = placeAt(lines, number, /["']/.test(line[from - 1] ?? "") ? from - 1 : from);
    if (!place) return null;
    const isKey = place.at !== "value" && /^["']?\s*:(?:\s|$)/.test(line.slice(to));
    const path = isKey && place.at === "item" ? [...place.path, 0] : place.path;
    return { path: isKey ? [...path, word] : path, part: isKey ? "key" : "value", word, from, to };
  }
  return null;
}
