/** PURE. Lists and maps in brackets, read up to a place in the middle of them. */

import { unquoted } from "./lines";
import type { Path } from "./place";

export interface Flow {
  /** Keys and item numbers from the value inwards. */
  path: Path;
  at: "key" | "item" | "value";
  /** What stands between the last delimiter and the place. */
  typed: string;
  /** Single values that the innermost list has before the place, or keys of the innermost map. */
  before: string[];
}

interface Level {
  isMap: boolean;
  key: string | null;
  items: string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"?|'[^']*'?|\$\{[^}]*\}?|[[\]{},]|:(?=\s|$)|\s+|[^[\]{},:$]+|[\s\S]/g;

/** What is being written at the end of `text`, which begins with a bracket; null when all brackets are closed. */
export function flowAtEnd(text: string): Flow | null {
  const levels: Level[] = [];
  let word = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const top = levels.at(-1);
    if (token === "[" || token === "{") levels.push({ isMap: token === "{", key: null, items: [] });
    else if (token === "]" || token === "}") levels.pop();
    else if (token === "," && top) endItem(top, word);
    else if (token === ":" && top?.isMap && top.key === null) top.key = unquoted(word);
    else {
      word += token;
      continue;
    }
    word = "";
    if (levels.length === 0) return null;
  }
  return levels.length === 0 ? null : described(levels, word);
}

function endItem(level: Level, word: string): void {
  level.items.push(level.key ?? unquoted(word));
  level.key = null;
}

function described(levels: Level[], word: string): Flow {
  const path: Path = [];
  for (const [depth, level] of levels.entries()) {
    const isLast = depth === levels.length - 1;
    if (level.isMap && level.key !== null) path.push(level.key);
    else if (!isLast && !level.isMap) path.push(level.items.length);
  }
  const last = levels.at(-1);
  const typed = word.replace(/^\s+/, "");
  const before = last?.items.filter(Boolean) ?? [];
  if (!last?.isMap) return { path, at: "item", typed, before };
  return { path, at: last.key === null ? "key" : "value", typed, before };
}

/** The rest of a list behind a place: the values up to its closing bracket. */
export function itemsAfter(text: string): string[] {
  const end = text.search(/[[\]{}]/);
  return (end < 0 ? text : text.slice(0, end)).split(",").slice(1).map(unquoted).filter(Boolean);
}

/** The outer keys of a map in brackets on one line: `{otlp: {}, batch:}`. */
export function flowKeys(text: string): string[] {
  const keys: string[] = [];
  for (const match of text.matchAll(/[\w./-]+(?=\s*:(?:\s|$))/g)) {
    const flow = flowAtEnd(text.slice(0, match.index));
    if (flow?.at === "key" && flow.path.length === 0) keys.push(match[0]);
  }
  return keys;
}
