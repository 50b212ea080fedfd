// @vitest-environment node
import { expect, it } from "vitest";
import { COMPONENTS, DEBUG, field } from "../catalog/testing";
import { subjectAt } from "../yaml/place";
import { atCursor } from "../yaml/testing";
import { aboutComponent, aboutSetting, namedBy, ofField, settingOf, spoken } from "./words";

const subject = (marked: string) => {
  const { lines, number, column } = atCursor(marked);
  const found = subjectAt(lines, number, column);
  if (!found) throw new Error("no word there");
  return found;
};

it("knows which words name components", () => {
  expect(namedBy(subject("exporters:\n  ot¦lp/x:"))).toEqual({ kinds: ["exporters"], id: "otlp/x" });
  expect(namedBy(subject("service:\n  extensions: [pp¦rof]"))).toEqual({ kinds: ["extensions"], id: "pprof" });
  const pipeline = "service:\n  pipelines:\n    logs:\n      receivers:\n        - fi¦le_log";
  expect(namedBy(subject(pipeline))).toEqual({ kinds: ["receivers", "connectors"], id: "file_log" });
  expect(namedBy(subject("exporters:\n  debug:\n    ver¦bosity: x"))).toBeNull();
  expect(namedBy(subject("service:\n  pipe¦lines:"))).toBeNull();
});

it("explains a component", () => {
  expect(aboutComponent(COMPONENTS, ["receivers", "connectors"], "span_metrics/x")).toEqual({
    title: "span_metrics connector", facts: [["traces to metrics", "alpha"]], notes: [], link: "",
  });
  expect(aboutComponent(COMPONENTS, ["extensions"], "pprof")).toMatchObject({
    facts: [["stability", "beta"]], notes: ["Deprecated: use another"],
  });
  expect(aboutComponent(COMPONENTS, ["exporters"], "nope")).toBeNull();
});

it("explains a setting: type, default, choices, range, what to take care of", () => {
  const owner = settingOf(subject("exporters:\n  debug:\n    ver¦bosity: x"));
  const about = aboutSetting(DEBUG.config, owner?.rest ?? [], "https://docs.example/debug");
  expect(about).toEqual({
    title: "verbosity",
    facts: [["type", "text"], ["default", "basic"], ["one of", "basic, normal, detailed"]],
    notes: [],
    link: "https://docs.example/debug",
  });
  expect(ofField(field("x", { type: "list", items: field("", { type: "uint", secret: true }), required: true }))).toMatchObject({
    facts: [["type", "list of: whole number, not negative"]], notes: ["Required."],
  });
  expect(aboutSetting(DEBUG.config, ["headers", "authorization"], "")?.notes).toEqual([
    "A secret: write ${env:NAME} and set it on the host.",
  ]);
  expect(ofField(field("x", { type: "int", minimum: 0, maximum: 9 })).facts).toContainEqual(["range", "0 to 9"]);
  expect(settingOf(subject("exporters:\n  de¦bug:"))).toBeNull();
});

it("says all of it in one sentence", () => {
  expect(spoken({ title: "timeout", facts: [["type", "duration"]], notes: ["Required."], link: "" })).toBe(
    "timeout. type: duration. Required.",
  );
});
