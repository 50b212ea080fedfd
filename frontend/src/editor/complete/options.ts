/** PURE. What can be written at a place. */

import { fieldAt, isKind, ownerOf } from "../catalog/known";
import type { Component, Field, FieldType } from "../catalog/shapes";
import { UNIT } from "../yaml/indent";
import { type Kind, KINDS } from "../yaml/outline";
import type { Place } from "../yaml/place";

export interface Option {
  label: string;
  /** What is put in the place of what was typed; the label when there is none. */
  apply?: string;
  /** How many characters before the end of that the cursor goes: into brackets. */
  back?: number;
  /** A few words beside the label. */
  detail: string;
  what: "section" | "component" | "field" | "value" | "id" | "variable";
  /** An old name or setting. */
  isOld?: boolean;
  component?: Component;
  field?: Field;
}

/** What the options are made of. */
export interface Known {
  /** Of the chosen collector version. */
  components: readonly Component[];
  /** Settings of the component that the place is in. */
  settings: Field | null;
  /** Ids that the text defines. */
  ids: Record<Kind, readonly string[]>;
}

const SERVICE = ["extensions", "pipelines", "telemetry"];
const TELEMETRY = ["logs", "metrics", "traces", "resource"];
const SIGNALS = ["traces", "metrics", "logs"];
const STAGES = ["receivers", "processors", "exporters"] as const;
/** Settings that name an extension. */
const EXTENSION_FIELDS = new Set(["authenticator", "storage", "storage_id", "encoding_extension"]);

/** The options at a place, without those that its map or list has already. */
export function optionsAt(place: Place, known: Known): Option[] {
  const options = place.path[0] === "service" ? inService(place, known) : inSections(place, known);
  const taken = new Set(place.others);
  return options.filter((option) => !taken.has(option.label));
}

function inSections(place: Place, known: Known): Option[] {
  const [kind] = place.path;
  if (place.path.length === 0) return place.at === "key" ? keys([...KINDS, "service"], place, "section") : [];
  if (isKind(kind) && place.path.length === 1) return place.at === "key" ? types(kind, place, known) : [];
  const owner = ownerOf(place.path);
  if (!owner) return [];
  const field = fieldAt(known.settings, owner.rest);
  if (place.at === "key") return fields(field, place);
  const last = owner.rest.findLast((step) => typeof step === "string");
  if (EXTENSION_FIELDS.has(String(last))) return known.ids.extensions.map((id) => idOf(id, "extensions"));
  if (place.at === "value") return field ? values(field) : [];
  return field?.items ? [...values(field.items), ...fields(field.items, place)] : [];
}

function inService(place: Place, known: Known): Option[] {
  const [, part, id, stage] = place.path;
  const depth = place.path.length;
  if (place.at === "key") {
    if (depth === 1) return SERVICE.map((name) => keyOf(name, place, "section", name === "extensions"));
    if (depth === 2 && part === "telemetry") return keys(TELEMETRY, place, "section");
    if (depth === 2 && part === "pipelines") return keys(SIGNALS, place, "section");
    if (depth === 3 && part === "pipelines") return STAGES.map((name) => keyOf(name, place, "section", true));
  }
  if (place.at !== "item") return [];
  if (depth === 2 && part === "extensions") return known.ids.extensions.map((one) => idOf(one, "extensions"));
  return depth === 4 && part === "pipelines" && id !== undefined ? idsFor(String(stage), known) : [];
}

/** What a pipeline's list may name: connectors hand data on, so they end one pipeline and begin another. */
function idsFor(stage: string, known: Known): Option[] {
  if (!STAGES.some((one) => one === stage)) return [];
  const own = known.ids[stage as Kind].map((id) => idOf(id, stage as Kind));
  return stage === "processors" ? own : [...own, ...known.ids.connectors.map((id) => idOf(id, "connectors"))];
}

function idOf(id: string, kind: Kind): Option {
  return { label: id, detail: singular(kind), what: "id" };
}

/** `receiver` of `receivers`. */
export function singular(kind: Kind): string {
  return kind.slice(0, -1);
}

function types(kind: Kind, place: Place, known: Known): Option[] {
  return known.components
    .filter((one) => one.kind === kind)
    .map((component) => ({
      ...keyOf(component.type, place, "component"),
      detail: stabilityOf(component),
      isOld: component.deprecated !== "",
      component,
    }));
}

const LEVELS = ["development", "alpha", "beta", "stable"];

/** How much a component can be relied on, by the best of its signals: what is used most comes first. */
export function rankOf(component: Component): number {
  const levels = [...Object.values(component.signals), ...component.pairs.map((pair) => pair.stability), component.stability];
  return Math.max(...levels.map((level) => LEVELS.indexOf(level ?? "")));
}

/** The stability of a component in a few words: `beta`, or `traces stable, logs alpha`. */
export function stabilityOf(component: Component): string {
  const each = Object.entries(component.signals);
  const pairs = component.pairs.map((pair): [string, string] => [`${pair.from} to ${pair.to}`, pair.stability]);
  const all = [...each, ...pairs];
  const levels = new Set(all.map(([, level]) => level));
  if (levels.size <= 1) return [...levels][0] ?? component.stability ?? "";
  return all.map(([signal, level]) => `${signal} ${level}`).join(", ");
}

function fields(field: Field | null, place: Place): Option[] {
  return (field?.fields ?? []).map((one) => ({
    label: one.name,
    apply: one.name + behindKey(one.type, place),
    detail: [one.type === "any" ? "" : one.type, one.required ? "required" : ""].filter(Boolean).join(", "),
    what: "field" as const,
    isOld: one.deprecated !== "",
    field: one,
  }));
}

/** What follows a new key: maps and lists go on in the next line. */
function behindKey(type: FieldType, place: Place): string {
  if (place.isFlow) return ": ";
  const next = `\n${" ".repeat(place.column + UNIT)}`;
  if (type === "map") return `:${next}`;
  return type === "list" ? `:${next}- ` : ": ";
}

function values(field: Field): Option[] {
  const words = field.type === "bool" ? ["true", "false"] : field.enum;
  const standard = field.default === null ? "" : String(field.default);
  const options = words.map((word): Option => ({ label: word, detail: word === standard ? "default" : "", what: "value" }));
  const isOwn = standard !== "" && !words.includes(standard);
  return isOwn ? [...options, { label: standard, detail: "default", what: "value" }] : options;
}

function keys(names: readonly string[], place: Place, what: Option["what"]): Option[] {
  return names.map((name) => keyOf(name, place, what));
}

function keyOf(name: string, place: Place, what: Option["what"], isList = false): Option {
  const option = { label: name, detail: "", what };
  return isList ? { ...option, apply: `${name}: []`, back: 1 } : { ...option, apply: name + behindKey("map", place) };
}
