// @vitest-environment node
import { expect, it } from "vitest";
import { indentAfter } from "./indent";
import { namesUsed, referenceTyped } from "./names";
import { entriesAt, idsOf, outlineOf } from "./outline";
import { linesOf } from "./testing";

const TEXT = `# what hosts run
receivers:
  otlp:
    protocols:
      grpc:
  file_log/app:
    operators:
      - type: regex_parser
    note: |
      processors:
        none:
processors: {batch: {timeout: 1s}, memory_limiter: }
service:
  extensions: [pprof]
  pipelines:
    traces/in:
      receivers: [otlp]
    logs:
      receivers: [file_log/app]
`;

it("lists sections, components and pipelines with their lines", () => {
  const shown = (entries: ReturnType<typeof outlineOf>): string[] =>
    entries.flatMap((entry) => [`${entry.name}@${entry.line}`, ...shown(entry.children).map((line) => `  ${line}`)]);
  expect(shown(outlineOf(linesOf(TEXT)))).toEqual([
    "receivers@2", "  otlp@3", "  file_log/app@6",
    "processors@12", "  batch@12", "  memory_limiter@12",
    "service@13", "  extensions@14", "  pipelines@15", "    traces/in@16", "    logs@18",
  ]);
});

it("knows the ids of each kind", () => {
  const ids = idsOf(outlineOf(linesOf(TEXT)));
  expect(ids.receivers).toEqual(["otlp", "file_log/app"]);
  expect(ids.processors).toEqual(["batch", "memory_limiter"]);
  expect(ids.exporters).toEqual([]);
});

it("says what a line belongs to", () => {
  const names = (line: number) => entriesAt(outlineOf(linesOf(TEXT)), line).map((entry) => entry.name);
  expect(names(1)).toEqual([]);
  expect(names(5)).toEqual(["receivers", "otlp"]);
  expect(names(17)).toEqual(["service", "pipelines", "traces/in"]);
});

it("finds the names of variables, not other references", () => {
  const text = "a: ${env:B}\nb: ${A}\nc: ${env:B:-x}\nd: ${file:/etc/x}\ne: $${env:NO}\nf: ${C:-d}";
  expect(namesUsed(text)).toEqual(["A", "B", "C"]);
});

it("knows when a reference is being typed", () => {
  expect(referenceTyped("a: ${")).toBe("");
  expect(referenceTyped("a: x${env:TO")).toBe("env:TO");
  expect(referenceTyped("a: ${env:X}")).toBeNull();
  expect(referenceTyped("a: $${env:X")).toBeNull();
  expect(referenceTyped("a: ${file:x")).toBeNull();
});

it.each([
  ["receivers:", 2],
  ["  otlp: # why", 4],
  ["    endpoint: x", 4],
  ["  - key: v", 4],
  ["  - key:", 6],
  ["  - item", 2],
  ["  -", 4],
  ["  text: |", 4],
  ["  list: [", 4],
  ["  list: [a]", 2],
  ["    words of a text", 4],
  ["", 0],
])("indents the line after %j", (line, columns) => {
  expect(indentAfter(line)).toBe(columns);
});
