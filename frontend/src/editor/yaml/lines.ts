/** PURE. One line of block YAML: its dashes, its key, its value. Works on lines that are still being typed. */

/** The lines of a text, counted from 1. */
export interface Lines {
  readonly count: number;
  line(number: number): string;
}

/** A key, or the dash of a list's item, at its column (from 0). */
export interface Mark {
  column: number;
  /** null for a dash. */
  key: string | null;
}

export interface Read {
  marks: Mark[];
  /** What stands after the last mark, without the blanks around it and without a comment. */
  value: string;
  /** Where the value begins, or would begin. */
  valueFrom: number;
}

const NO_KEY = new Set("#&*!|>%@`[]{},?");

/** Whether a line says nothing: empty, or a comment. */
export function isBlank(line: string): boolean {
  return /^[ \t]*(?:#|$)/.test(line);
}

/** How many spaces a line begins with. */
export function indentOf(line: string): number {
  let at = 0;
  while (line[at] === " ") at += 1;
  return at;
}

/** Read a line. */
export function readLine(line: string): Read {
  const marks: Mark[] = [];
  let at = indentOf(line);
  while (line[at] === "-" && isBlankAt(line, at + 1)) {
    marks.push({ column: at, key: null });
    at = afterBlanks(line, at + 1);
  }
  const colon = colonOfKey(line, at);
  if (colon >= 0) {
    marks.push({ column: at, key: unquoted(line.slice(at, colon)) });
    at = afterBlanks(line, colon + 1);
  }
  return { marks, value: withoutComment(line.slice(at)).trimEnd(), valueFrom: at };
}

/** Where the colon behind the key is that begins at `from`; -1 when none begins there. */
function colonOfKey(line: string, from: number): number {
  const first = line[from] ?? "";
  if (first === "" || NO_KEY.has(first)) return -1;
  if (first === '"' || first === "'") {
    const colon = afterBlanks(line, quoteEnd(line, from));
    return line[colon] === ":" && isBlankAt(line, colon + 1) ? colon : -1;
  }
  for (let at = from; at < line.length; at += 1) {
    if (line[at] === ":" && isBlankAt(line, at + 1)) return at;
    if (line[at] === "#" && isBlankAt(line, at - 1)) return -1;
  }
  return -1;
}

/** A blank, or the end of the line. */
function isBlankAt(line: string, at: number): boolean {
  return at >= line.length || line[at] === " " || line[at] === "\t";
}

function afterBlanks(line: string, at: number): number {
  while (line[at] === " " || line[at] === "\t") at += 1;
  return at;
}

/** Behind the quote that closes the one at `from`; the end of the text when none does. */
export function quoteEnd(text: string, from: number): number {
  const quote = text[from];
  for (let at = from + 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === "\\") at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}

/** A word without the blanks and quotes around it. */
export function unquoted(word: string): string {
  return word.trim().replace(/^(["'])(.*)\1$/s, "$2");
}

/** A value without its comment: `#` begins one at the start or behind a blank, outside of quotes. */
export function withoutComment(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === "#" && (at === 0 || isBlankAt(text, at - 1))) return text.slice(0, at);
    if ((character === '"' || character === "'") && opensQuote(text, at)) at = quoteEnd(text, at) - 1;
  }
  return text;
}

/** A quote in the middle of a word (`don't`) is a character like any other. */
function opensQuote(text: string, at: number): boolean {
  return at === 0 || /[\s,[{:(]/.test(text[at - 1] ?? "");
}

/** Whether a value begins a block of text (`|`, `>`): what follows is no YAML. */
export function beginsBlock(value: string): boolean {
  return /^(?:[&!]\S*\s+)*[|>][-+0-9]*$/.test(value);
}

/** Whether a value begins a list or map in brackets. */
export function beginsFlow(value: string): boolean {
  return /^(?:[&!]\S*\s+)*[[{]/.test(value);
}

/** Whether a value may have more below it: nothing is there yet, or only an anchor or tag. */
export function isOpen(value: string): boolean {
  return /^(?:[&!]\S*(?:\s+[&!]\S*)*)?$/.test(value);
}
