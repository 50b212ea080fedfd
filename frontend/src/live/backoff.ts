/** How long to wait before the next attempt to connect: 1, 2, 4 … 30 s, each with jitter. */

const LONGEST_MS = 30_000;

/** Milliseconds before attempt number `attempt` (0 is the first). `chance` is 0 to 1. */
export function retryDelay(attempt: number, chance: number): number {
  const base = Math.min(LONGEST_MS, 1000 * 2 ** attempt);
  return Math.round(base * (0.75 + chance / 2));
}
