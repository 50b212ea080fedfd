/** PURE. Names of environment variables that a text uses: `${env:NAME}`, `${NAME}`, `${env:NAME:-default}`. */

const USED = /(?<!\$)\$\{(?:env:([A-Za-z_]\w*)|([A-Za-z_]\w*)(?=\}|:-))/g;
const TYPING = /(?<!\$)\$\{((?:e|en|env|env:\w*)?)$/;

/** Each name once, in alphabetical order. */
export function namesUsed(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(USED)) found.add(match[1] ?? match[2] ?? "");
  return [...found].sort();
}

/** What is typed of a reference, behind its `${`, at the end of a line's part before the cursor; null outside of one. */
export function referenceTyped(before: string): string | null {
  return TYPING.exec(before)?.[1] ?? null;
}
