// @vitest-environment node
import { expect, it, vi } from "vitest";
import { CatalogClient } from "./client";
import { componentOf, fieldAt, nearest, ownerOf } from "./known";
import { COMPONENTS, DEBUG } from "./testing";

it("finds components by present and older names", () => {
  expect(componentOf(COMPONENTS, "receivers", "filelog/app")?.type).toBe("file_log");
  expect(componentOf(COMPONENTS, "receivers", "otlp")?.kind).toBe("receivers");
  expect(componentOf(COMPONENTS, "exporters", "otlp/x")?.type).toBe("otlp_grpc");
  expect(componentOf(COMPONENTS, "exporters", "nope")).toBeNull();
});

it("finds fields in maps, lists and maps of any keys", () => {
  const name = (...path: (string | number)[]) => fieldAt(DEBUG.config, path)?.name;
  expect(name("sending_queue", "sizer")).toBe("sizer");
  expect(name("sending_queue::sizer")).toBe("sizer");
  expect(name("rules", 3, "action")).toBe("action");
  expect(fieldAt(DEBUG.config, ["headers", "authorization"])?.secret).toBe(true);
  expect(name("rules", "action")).toBeUndefined();
  expect(name("nope")).toBeUndefined();
});

it("knows whose settings a path is in", () => {
  expect(ownerOf(["exporters", "debug", "a", 0])).toEqual({ kind: "exporters", id: "debug", rest: ["a", 0] });
  expect(ownerOf(["service", "pipelines"])).toBeNull();
  expect(ownerOf(["exporters"])).toBeNull();
});

it("chooses the catalog of a version", () => {
  const versions = ["0.149.0", "0.158.0", "0.140.1"];
  expect(nearest(versions, "0.149.0")).toBe("0.149.0");
  expect(nearest(versions, "0.152.3")).toBe("0.149.0");
  expect(nearest(versions, "0.154.0")).toBe("0.158.0");
  expect(nearest(["0.150.0", "0.148.0"], "0.149.0")).toBe("0.148.0");
  expect(nearest(versions, "newest")).toBe("0.158.0");
  expect(nearest(versions, "v0.200.0-custom")).toBe("0.158.0");
  expect(nearest(versions, "0.90.0")).toBe("0.140.1");
  expect(nearest(versions, "")).toBe("0.158.0");
  expect(nearest([], "0.149.0")).toBeNull();
});

it("asks for a list once, for what failed again, and nothing without an address", async () => {
  const fetchJson = vi.fn(async (url: string): Promise<unknown> => {
    if (url === "/c/") return { versions: ["0.158.0", "0.149.0"] };
    if (url === "/c/0.149.0/components/") return { components: COMPONENTS };
    if (url === "/c/0.149.0/components/exporters/debug/") return DEBUG;
    throw new Error("away");
  });
  let version = "0.149.0";
  const client = new CatalogClient("/c/", () => version, fetchJson);
  expect(await client.components()).toEqual(COMPONENTS);
  expect(await client.components()).toEqual(COMPONENTS);
  expect(await client.settings("exporters", "debug")).toEqual(DEBUG.config);
  expect(fetchJson).toHaveBeenCalledTimes(3);
  version = "";
  expect(await client.components()).toEqual([]);
  expect(await client.components()).toEqual([]);
  expect(fetchJson.mock.calls.filter(([url]) => url === "/c/0.158.0/components/")).toHaveLength(2);
  expect(await new CatalogClient("", () => version, fetchJson).components()).toEqual([]);
});
