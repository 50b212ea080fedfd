// @vitest-environment node
import { describe, expect, it } from "vitest";
import { placeAt, subjectAt } from "./place";
import { atCursor } from "./testing";

const place = (marked: string) => {
  const { lines, number, column } = atCursor(marked);
  return placeAt(lines, number, column);
};
const subject = (marked: string) => {
  const { lines, number, column } = atCursor(marked);
  return subjectAt(lines, number, column);
};

describe("a key", () => {
  it("at the left edge belongs to the whole", () => {
    expect(place("receivers:\n  otlp:\n¦")).toMatchObject({ path: [], at: "key", typed: "", column: 0, others: ["receivers"] });
    expect(place("rec¦")).toMatchObject({ path: [], at: "key", typed: "rec" });
  });

  it("belongs to what is less indented, whatever is between", () => {
    const text = `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: localhost:4317

# a comment at the edge
      ¦`;
    expect(place(text)).toMatchObject({ path: ["receivers", "otlp", "protocols"], at: "key", others: ["grpc"] });
  });

  it("is known while its text is broken", () => {
    expect(place("receivers:\n  otlp:\n    proto¦\n  x: [\nexporters")).toMatchObject({
      path: ["receivers", "otlp"], at: "key", typed: "proto",
    });
  });

  it("in a list's item is beside the item's other keys", () => {
    const text = "processors:\n  resource:\n    attributes:\n      - key: a\n        value: b\n      - key: c\n        ac¦";
    expect(place(text)).toMatchObject({
      path: ["processors", "resource", "attributes", 1], at: "key", typed: "ac", others: ["key"],
    });
  });

  it("in a list that stands in its key's column", () => {
    expect(place("a:\n  list:\n  - key: x\n    ¦")).toMatchObject({ path: ["a", "list", 0], at: "key" });
    expect(place("a:\n  list:\n  - key: x\n  ¦")).toMatchObject({ path: ["a"], at: "key", others: ["list"] });
  });

  it("may be quoted, hold colons and slashes", () => {
    expect(place('exporters:\n  "otlp/a b" :\n    ¦')).toMatchObject({ path: ["exporters", "otlp/a b"] });
    expect(place("processors:\n  batch::timeout: 1s\n  otlp/x:\n    t¦")).toMatchObject({ path: ["processors", "otlp/x"] });
  });
});

describe("a value", () => {
  it("follows its key and a blank", () => {
    expect(place("exporters:\n  debug:\n    verbosity: de¦")).toMatchObject({
      path: ["exporters", "debug", "verbosity"], at: "value", typed: "de",
    });
    expect(place("a:\n  b: ¦")).toMatchObject({ path: ["a", "b"], at: "value", typed: "" });
    expect(place("a:\n  b:¦")).toBeNull();
  });
});

describe("an item", () => {
  it("of a list with dashes", () => {
    const text = "service:\n  pipelines:\n    traces:\n      receivers:\n        - otlp\n        - ho¦\n        - zipkin";
    expect(place(text)).toMatchObject({
      path: ["service", "pipelines", "traces", "receivers"], at: "item", typed: "ho", others: ["otlp", "zipkin"],
    });
  });

  it("of a list in brackets, on one line or several", () => {
    expect(place("service:\n  pipelines:\n    logs:\n      exporters: [debug, ot¦, file]")).toMatchObject({
      path: ["service", "pipelines", "logs", "exporters"], at: "item", typed: "ot", others: ["debug", "file"], isFlow: true,
    });
    expect(place("service:\n  extensions: [\n    pprof, # why\n    he¦")).toMatchObject({
      path: ["service", "extensions"], at: "item", typed: "he", others: ["pprof"],
    });
    expect(place("service:\n  extensions: [a]¦")).toBeNull();
    expect(place("service:\n  extensions: [a,\n b]\n  ¦")).toMatchObject({ path: ["service"], at: "key" });
  });
});

describe("brackets", () => {
  it("hold keys, values and more brackets", () => {
    expect(place("service: {pipelines: {traces: {receivers: [otlp, ¦")).toMatchObject({
      path: ["service", "pipelines", "traces", "receivers"], at: "item", others: ["otlp"],
    });
    expect(place("receivers: {otlp: {}, ho¦")).toMatchObject({ path: ["receivers"], at: "key", typed: "ho", others: ["otlp"] });
    expect(place("a: [{k: 1}, {k: ${env:X}, v: ¦")).toMatchObject({ path: ["a", 1, "v"], at: "value" });
    expect(place("a: {k: 'x, y: z', v¦")).toMatchObject({ path: ["a"], at: "key", typed: "v", others: ["k"] });
  });
});

describe("no place", () => {
  it("is in comments, texts and below single values", () => {
    expect(place("a:\n  b: 1 # com¦")).toBeNull();
    expect(place("# rec¦")).toBeNull();
    expect(place("a:\n  text: |\n    key: x\n    oth¦")).toBeNull();
    expect(place("a:\n  text: >-\n      first\n    oth¦")).toBeNull();
    expect(place("a:\n  b: single\n    more¦")).toBeNull();
    expect(place("a: !tag &anchor\n  b¦")).toMatchObject({ path: ["a"] });
  });

  it("reaches beyond a document's start", () => {
    expect(place("a:\n  b:\n---\n    c¦")).toMatchObject({ path: [], at: "key" });
  });
});

describe("the word under the pointer", () => {
  it("is a key or a value, with its path", () => {
    expect(subject("receivers:\n  ot¦lp/x:\n")).toEqual({
      path: ["receivers", "otlp/x"], part: "key", word: "otlp/x", from: 2, to: 8,
    });
    expect(subject("a:\n  - k¦ey: v")).toMatchObject({ path: ["a", 0, "key"], part: "key" });
    expect(subject("a: {\"k¦ey\": v}")).toMatchObject({ path: ["a", "key"], part: "key" });
    expect(subject("service:\n  extensions: [pprof, health¦_check]")).toMatchObject({
      path: ["service", "extensions"], part: "value", word: "health_check",
    });
    expect(subject("a:\n  b: localhost:43¦17")).toMatchObject({ path: ["a", "b"], part: "value", word: "localhost:4317" });
    expect(subject("a: b # wo¦rd")).toBeNull();
    expect(subject("a:   ¦  b")).toBeNull();
  });
});
