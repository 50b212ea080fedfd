/** PURE. Looking things up in a catalog. */

import { type Kind, KINDS } from "../yaml/outline";
import type { Path } from "../yaml/place";
import type { Component, Field } from "./shapes";

/** The type in an id: `otlp` of `otlp/backend`. */
export function typeOf(id: string): string {
  return (id.split("/", 1)[0] ?? "").trim();
}

export function isKind(word: unknown): word is Kind {
  return KINDS.some((kind) => kind === word);
}

/** The component of an id, by its present name or an older one. */
export function componentOf(components: readonly Component[], kind: Kind, id: string): Component | null {
  const type = typeOf(id);
  const same = components.filter((one) => one.kind === kind);
  return same.find((one) => one.type === type) ?? same.find((one) => one.aliases.includes(type)) ?? null;
}

/** The component whose body a path is in: `["receivers", "otlp/x", …]`. */
export function ownerOf(path: Path): { kind: Kind; id: string; rest: Path } | null {
  const [kind, id, ...rest] = path;
  return isKind(kind) && typeof id === "string" ? { kind, id, rest } : null;
}

/** The field that a path leads to from a component's settings; null for unknown ones. */
export function fieldAt(settings: Field | null, path: Path): Field | null {
  return path.reduce<Field | null>((field, step) => field && inside(field, step), settings);
}

function inside(field: Field, step: string | number): Field | null {
  if (typeof step === "number") return field.type === "list" ? field.items : null;
  // `batch::timeout` says the same as `timeout` below `batch`.
  if (step.includes("::")) return fieldAt(field, step.split("::"));
  return field.fields.find((one) => one.name === step) ?? (field.type === "list" ? null : field.items);
}

/** The best catalog for a version: its own, else the newest that is not newer, else the oldest. `versions`: any order. */
export function nearest(versions: readonly string[], wanted: string): string | null {
  const sorted = [...versions].sort((one, other) => compared(other, one));
  if (wanted === "") return sorted[0] ?? null;
  return sorted.find((one) => compared(one, wanted) <= 0) ?? sorted.at(-1) ?? null;
}

function compared(one: string, other: string): number {
  const [left, right] = [numbers(one), numbers(other)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}
