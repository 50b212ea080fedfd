/** PURE. The smallest single change that makes one text of another. */

export interface Change {
  from: number;
  to: number;
  insert: string;
}

/** What to put in the place of what; null when the texts are the same. */
export function difference(old: string, next: string): Change | null {
  if (old === next) return null;
  const most = Math.min(old.length, next.length);
  let from = 0;
  while (from < most && old[from] === next[from]) from += 1;
  let tail = 0;
  while (tail < most - from && old[old.length - 1 - tail] === next[next.length - 1 - tail]) tail += 1;
  return { from, to: old.length - tail, insert: next.slice(from, next.length - tail) };
}
