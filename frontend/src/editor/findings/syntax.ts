/** PURE. Faults of YAML's syntax, found in the browser while a person types. The server has the last word. */

import { parseDocument, type YAMLError } from "yaml";

export interface Fault {
  from: number;
  to: number;
  message: string;
}

/** A second document is read by nobody, but it is no fault. */
const NO_FAULT = new Set(["MULTIPLE_DOCS"]);

const WORDS: Partial<Record<YAMLError["code"], string>> = {
  ALIAS_PROPS: "An alias takes no anchor and no tag.",
  BAD_INDENT: "The indentation does not fit: keys of one map begin in one column.",
  BAD_DQ_ESCAPE: "Unknown escape in double quotes. Write \\\\ for a backslash.",
  BAD_SCALAR_START: "A value that begins like this needs quotes.",
  BLOCK_AS_IMPLICIT_KEY: "One line holds one key. Put the second one below, or the value in quotes.",
  BLOCK_IN_FLOW: "Between brackets everything is written with brackets and commas.",
  DUPLICATE_KEY: "This key stands here twice.",
  IMPOSSIBLE: "This is no YAML.",
  MISSING_CHAR: "Something is missing here: a comma, a closing bracket or a quote.",
  MULTILINE_IMPLICIT_KEY: "A key stands on one line. Is a colon or a quote missing?",
  TAB_AS_INDENT: "Indent with spaces: YAML takes no tabs here.",
  UNEXPECTED_TOKEN: "This is not expected here.",
};

/** The faults of a text: the first of each line, since one makes others; at most `most`. */
export function faultsIn(text: string, most = 20): Fault[] {
  const { errors } = parseDocument(text, { prettyErrors: false, merge: true, logLevel: "silent" });
  const byLine = new Map<number, Fault>();
  for (const error of errors) {
    // What is missing at the end is said to be behind it.
    const [from, to] = error.pos.map((offset) => Math.min(offset, text.length)) as [number, number];
    const line = text.lastIndexOf("\n", from - 1);
    if (!NO_FAULT.has(error.code) && !byLine.has(line)) byLine.set(line, { from, to, message: wordsFor(error) });
  }
  return [...byLine.values()].slice(0, most);
}

function wordsFor({ code, message }: YAMLError): string {
  if (message.startsWith("Flow ")) return "A bracket is opened before, and not closed.";
  return WORDS[code] ?? `${message}.`;
}
