// @vitest-environment node
import { describe, expect, it } from "vitest";
import { component, COMPONENTS, DEBUG } from "../catalog/testing";
import { idsOf, outlineOf } from "../yaml/outline";
import { placeAt } from "../yaml/place";
import { atCursor } from "../yaml/testing";
import { type Option, optionsAt, rankOf, stabilityOf } from "./options";

const offered = (marked: string): Option[] => {
  const { lines, number, column } = atCursor(marked);
  const place = placeAt(lines, number, column);
  if (!place) return [];
  return optionsAt(place, { components: COMPONENTS, settings: DEBUG.config, ids: idsOf(outlineOf(lines)) });
};
const labels = (marked: string) => offered(marked).map((option) => option.label);

const TEXT = `receivers:
  otlp:
processors:
  batch:
exporters:
  debug:
connectors:
  span_metrics:
extensions:
  pprof:
  file_storage/queue:
service:
`;

describe("sections", () => {
  it("are offered at the left edge, each once", () => {
    expect(labels("receivers:\nexporters:\n¦")).toEqual(["processors", "connectors", "extensions", "service"]);
  });

  it("of the service", () => {
    expect(labels(`${TEXT}  extensions: [pprof]\n  ¦`)).toEqual(["pipelines", "telemetry"]);
    expect(labels(`${TEXT}  pipelines:\n    traces:\n    ¦`)).toEqual(["metrics", "logs"]);
    expect(labels(`${TEXT}  pipelines:\n    traces:\n      receivers: [otlp]\n      ¦`)).toEqual(["processors", "exporters"]);
  });
});

describe("components", () => {
  it("are those of the section's kind, with their stability", () => {
    const [otlp, log] = offered("receivers:\n  ¦");
    expect(otlp).toMatchObject({ label: "otlp", apply: "otlp:\n    ", detail: "stable" });
    expect(log).toMatchObject({ label: "file_log", detail: "beta" });
    expect(offered("extensions:\n  ¦")).toMatchObject([{ label: "pprof", isOld: true, detail: "beta" }]);
  });

  it("say several stabilities by signal", () => {
    expect(stabilityOf(COMPONENTS[4]!)).toBe("traces stable, logs beta");
    expect(stabilityOf(COMPONENTS[5]!)).toBe("alpha");
  });
});

describe("settings", () => {
  it("are those that the component does not have yet", () => {
    expect(labels("exporters:\n  debug:\n    verbosity: basic\n    ¦")).toEqual([
      "use_internal_logger", "sampling_initial", "output_paths", "sending_queue", "headers", "rules",
    ]);
  });

  it("go on where their value is written", () => {
    const apply = Object.fromEntries(offered("exporters:\n  debug:\n    ¦").map((one) => [one.label, one.apply]));
    expect(apply["verbosity"]).toBe("verbosity: ");
    expect(apply["sending_queue"]).toBe("sending_queue:\n      ");
    expect(apply["output_paths"]).toBe("output_paths:\n      - ");
    expect(offered("exporters: {debug: {¦")[3]?.apply).toBe("output_paths: ");
  });

  it("are found inside of maps and of the items of lists", () => {
    expect(labels("exporters:\n  debug:\n    sending_queue:\n      ¦")).toEqual(["storage", "sizer"]);
    expect(labels("exporters:\n  debug:\n    rules:\n      - ¦")).toEqual(["action"]);
    expect(labels("exporters:\n  debug:\n    unknown:\n      ¦")).toEqual([]);
  });

  it("have values: words, truths, defaults, extensions", () => {
    expect(offered("exporters:\n  debug:\n    verbosity: ¦")).toMatchObject([
      { label: "basic", detail: "default" }, { label: "normal", detail: "" }, { label: "detailed" },
    ]);
    expect(labels("exporters:\n  debug:\n    use_internal_logger: ¦")).toEqual(["true", "false"]);
    expect(labels("exporters:\n  debug:\n    sampling_initial: ¦")).toEqual(["2"]);
    expect(labels("extensions:\n  pprof:\nexporters:\n  debug:\n    sending_queue:\n      storage: ¦")).toEqual(["pprof"]);
  });
});

describe("ids", () => {
  it("in pipelines are those that are defined and not listed yet", () => {
    const pipeline = `${TEXT}  pipelines:\n    traces:\n      `;
    expect(labels(`${pipeline}receivers: [¦]`)).toEqual(["otlp", "span_metrics"]);
    expect(labels(`${pipeline}processors:\n        - ¦`)).toEqual(["batch"]);
    expect(labels(`${pipeline}exporters: [debug, ¦]`)).toEqual(["span_metrics"]);
    expect(labels(`${pipeline}receivers: [¦, otlp]`)).toEqual(["span_metrics"]);
  });

  it("of extensions", () => {
    expect(labels(`${TEXT}  extensions: [pprof, ¦]`)).toEqual(["file_storage/queue"]);
  });
});

describe("what people can rely on", () => {
  const rank = (level: string) => rankOf(component({ kind: "receivers", type: "a", signals: { traces: level } }));

  it("comes first", () => {
    expect(rank("stable")).toBeGreaterThan(rank("beta"));
    expect(rank("beta")).toBeGreaterThan(rank("alpha"));
    expect(rank("alpha")).toBeGreaterThan(rank("development"));
    expect(rank("unmaintained")).toBe(rank("deprecated"));
  });

  it("counts the best of its signals", () => {
    const mixed = component({ kind: "receivers", type: "a", signals: { profiles: "development", traces: "stable" } });
    expect(rankOf(mixed)).toBe(rank("stable"));
    expect(rankOf(component({ kind: "extensions", type: "a", stability: "beta" }))).toBe(rank("beta"));
  });
});
