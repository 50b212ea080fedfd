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

/** More than any part of a version is. */
const MOST = 10_000;

/**
 * The catalog to use for a version, as the server chooses it (configs/catalog/versions.py): the nearest by its numbers,
 * the older of two; the newest for what is no version. `versions`: any order.
 */
export function nearest(versions: readonly string[], wanted: string): string | null {
  const oldestFirst = [...versions].sort((one, other) => (placeOf(one) ?? 0) - (placeOf(other) ?? 0));
  const place = placeOf(wanted);
  if (place === null) return oldestFirst.at(-1) ?? null;
  const distance = (version: string): number => Math.abs((placeOf(version) ?? 0) - place);
  return oldestFirst.reduce<string | null>((best, one) => (best !== null && distance(best) <= distance(one) ? best : one), null);
}

/** Where a version stands among all; null for what is none. */
function placeOf(version: string): number | null {
  const found = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[-+].*)?$/.exec(version.trim());
  return found && found.slice(1, 4).reduce((sum, part) => sum * MOST + Number(part), 0);
}
