/** What the live socket says, and which elements of the page it concerns. */

/** Data under `topic` changed. `seq` counts the hints of one topic on one connection. */
export interface Hint {
  topic: string;
  seq: number;
}

/** Read a message of the server; anything that is not a hint is null. */
export function readHint(text: string): Hint | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { topic, seq } = value as Record<string, unknown>;
  return typeof topic === "string" && typeof seq === "number" ? { topic, seq } : null;
}

/** The topics an element listens to: `data-live="overview fleets"`. */
export function topicsOf(element: Element): string[] {
  return (element.getAttribute("data-live") ?? "").split(/\s+/).filter(Boolean);
}

/** The elements that can follow changes: they need an id to be found again in the answer. */
export function liveElements(root: ParentNode): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>("[data-live][id]")];
}

/** Every topic of the page, once, in a steady order. */
export function topicsIn(root: ParentNode): string[] {
  return [...new Set(liveElements(root).flatMap(topicsOf))].sort();
}

/** The ids of the elements that listen to a topic. */
export function idsFor(root: ParentNode, topic: string): string[] {
  return liveElements(root)
    .filter((element) => topicsOf(element).includes(topic))
    .map((element) => element.id);
}
