/** PURE. What is said of a word of the configuration, as values. */

import { componentOf, fieldAt, isKind, ownerOf } from "../catalog/known";
import type { Component, Field } from "../catalog/shapes";
import { singular } from "../complete/options";
import type { Kind } from "../yaml/outline";
import type { Path, Subject } from "../yaml/place";

export interface Explained {
  title: string;
  facts: [name: string, value: string][];
  /** What to take care of. */
  notes: string[];
  link: string;
}

/** Which component a word names: the key that defines it, or its id in a pipeline or in `service.extensions`. */
export function namedBy(subject: Subject): { kinds: Kind[]; id: string } | null {
  const { path, part, word } = subject;
  const [section, name] = path;
  if (part === "key" && path.length === 2 && isKind(section) && typeof name === "string") return { kinds: [section], id: name };
  if (part === "key" || section !== "service") return null;
  if (name === "extensions" && path.length === 2) return { kinds: ["extensions"], id: word };
  const stage = path[3];
  if (name !== "pipelines" || path.length !== 4 || !isKind(stage)) return null;
  return { kinds: stage === "processors" ? [stage] : [stage, "connectors"], id: word };
}

/** The component whose setting, or a setting's value, a word is. */
export function settingOf(subject: Subject): { kind: Kind; id: string; rest: Path } | null {
  const owner = ownerOf(subject.path);
  return owner && owner.rest.length > 0 ? owner : null;
}

/** The component that a word names: of the first kind that has it. */
export function aboutComponent(components: readonly Component[], kinds: Kind[], id: string): Explained | null {
  for (const kind of kinds) {
    const component = componentOf(components, kind, id);
    if (component) return { ...ofComponent(component), title: `${component.type} ${singular(kind)}` };
  }
  return null;
}

/** What is known of a component. */
export function ofComponent(component: Component): Explained {
  const signals = Object.entries(component.signals).map(([signal, level]): [string, string] => [signal, level]);
  const pairs = component.pairs.map((pair): [string, string] => [`${pair.from} to ${pair.to}`, pair.stability]);
  const stability: [string, string][] = component.stability ? [["stability", component.stability]] : [];
  const older: [string, string][] = component.aliases.length > 0 ? [["older name", component.aliases.join(", ")]] : [];
  return {
    title: component.type,
    facts: [...signals, ...pairs, ...stability, ...older],
    notes: component.deprecated ? [`Deprecated: ${component.deprecated}`] : [],
    link: component.doc_url,
  };
}

/** A setting at a path of a component's settings. */
export function aboutSetting(settings: Field | null, rest: Path, link: string): Explained | null {
  const field = fieldAt(settings, rest);
  if (!field) return null;
  return { ...ofField(field), title: String(rest.findLast((step) => typeof step === "string") ?? field.name), link };
}

/** What is known of a setting. */
export function ofField(field: Field): Explained {
  const facts: [string, string][] = [["type", typeWords(field)]];
  if (field.default !== null && field.default !== "") facts.push(["default", String(field.default)]);
  if (field.enum.length > 0) facts.push(["one of", field.enum.join(", ")]);
  const range = rangeWords(field);
  if (range) facts.push(["range", range]);
  const notes: string[] = [];
  if (field.required) notes.push("Required.");
  if (field.secret) notes.push("A secret: write ${env:NAME} and set it on the host.");
  if (field.deprecated) notes.push(`Deprecated: ${field.deprecated}`);
  return { title: field.name, facts, notes, link: "" };
}

const TYPE_WORDS: Record<string, string> = {
  string: "text", int: "whole number", uint: "whole number, not negative", float: "number", bool: "true or false",
  duration: "duration, such as 30s or 1h30m", any: "anything",
};

function typeWords(field: Field): string {
  if (field.type === "list") return field.items ? `list of: ${typeWords(field.items)}` : "list";
  if (field.type === "map") return field.open && field.fields.length === 0 ? "map with keys of any name" : "map";
  return TYPE_WORDS[field.type] ?? field.type;
}

function rangeWords({ minimum, maximum }: Field): string {
  if (minimum !== null && maximum !== null) return `${minimum} to ${maximum}`;
  if (minimum !== null) return `at least ${minimum}`;
  return maximum === null ? "" : `at most ${maximum}`;
}

/** All of it as one sentence, for screen readers. */
export function spoken(explained: Explained): string {
  const facts = explained.facts.map(([name, value]) => `${name}: ${value}`);
  return [explained.title, ...facts, ...explained.notes].join(". ");
}
