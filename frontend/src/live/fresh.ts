/** Rows that changed glow for two seconds. */

const GLOW_MS = 2200;
const QUIET = "time, [data-quiet], input, .menu";

/** The text of each row with an id, without what changes all the time. */
export function rowTexts(root: Element): Map<string, string> {
  const texts = new Map<string, string>();
  for (const row of root.querySelectorAll("tr[id], .rows > [id]")) texts.set(row.id, textOf(row));
  return texts;
}

/** Let the rows glow that are new or differ from `before`. Returns their ids. */
export function glowChanged(root: Element, before: Map<string, string>): string[] {
  const changed: string[] = [];
  for (const row of root.querySelectorAll("tr[id], .rows > [id]")) {
    if (before.get(row.id) === textOf(row)) continue;
    changed.push(row.id);
    row.classList.add("fresh");
    setTimeout(() => row.classList.remove("fresh"), GLOW_MS);
  }
  return changed;
}

function textOf(row: Element): string {
  const copy = row.cloneNode(true) as Element;
  for (const quiet of copy.querySelectorAll(QUIET)) quiet.remove();
  return (copy.textContent ?? "").replace(/\s+/g, " ").trim();
}
