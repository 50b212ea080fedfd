/** For tests: a small catalog in the API's shape. */

import type { Component, Field, Settings } from "./shapes";

export const field = (name: string, more: Partial<Field> = {}): Field => ({
  name, type: "string", default: null, enum: [], minimum: null, maximum: null, required: false,
  secret: false, deprecated: "", fields: [], items: null, open: false, ...more,
});

export const component = (more: Partial<Component> & Pick<Component, "kind" | "type">): Component => ({
  aliases: [], signals: {}, pairs: [], stability: null, deprecated: "", doc_url: "", ...more,
});

export const COMPONENTS: Component[] = [
  component({ kind: "receivers", type: "otlp", signals: { traces: "stable", metrics: "stable", logs: "stable" } }),
  component({ kind: "receivers", type: "file_log", aliases: ["filelog"], signals: { logs: "beta" } }),
  component({ kind: "processors", type: "batch", signals: { traces: "beta", logs: "beta" } }),
  component({ kind: "exporters", type: "debug", signals: { traces: "alpha", logs: "alpha" }, doc_url: "https://docs.example/debug" }),
  component({ kind: "exporters", type: "otlp_grpc", aliases: ["otlp"], signals: { traces: "stable", logs: "beta" } }),
  component({ kind: "connectors", type: "span_metrics", pairs: [{ from: "traces", to: "metrics", stability: "alpha" }] }),
  component({ kind: "extensions", type: "pprof", stability: "beta", deprecated: "use another" }),
];

export const DEBUG: Settings = {
  ...(COMPONENTS[3] as Component),
  config: field("", {
    type: "map",
    fields: [
      field("verbosity", { enum: ["basic", "normal", "detailed"], default: "basic" }),
      field("use_internal_logger", { type: "bool", default: true }),
      field("sampling_initial", { type: "int", default: 2, minimum: 0 }),
      field("output_paths", { type: "list", items: field("") }),
      field("sending_queue", {
        type: "map",
        fields: [field("storage"), field("sizer", { enum: ["items", "bytes"], required: true })],
      }),
      field("headers", { type: "map", open: true, items: field("", { secret: true }) }),
      field("rules", { type: "list", items: field("", { type: "map", fields: [field("action")] }) }),
    ],
  }),
};
