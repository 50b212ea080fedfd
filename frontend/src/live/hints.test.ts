import { beforeEach, describe, expect, it } from "vitest";
import { idsFor, readHint, topicsIn } from "./hints";

describe("hints", () => {
  beforeEach(() => {
    document.body.innerHTML = `
      <section id="a" data-live="overview  agents"></section>
      <section id="b" data-live="agents"></section>
      <section data-live="tokens">no id, cannot be found again</section>`;
  });

  it("reads a hint and nothing else", () => {
    expect(readHint('{"topic": "agents", "seq": 4}')).toEqual({ topic: "agents", seq: 4 });
    for (const text of ["", "null", "[]", '{"topic": 1, "seq": 1}', '{"topic": "agents"}', "{"]) {
      expect(readHint(text)).toBeNull();
    }
  });

  it("collects each topic of the page once", () => {
    expect(topicsIn(document)).toEqual(["agents", "overview"]);
  });

  it("finds the elements that a topic concerns", () => {
    expect(idsFor(document, "agents")).toEqual(["a", "b"]);
    expect(idsFor(document, "agent:1")).toEqual([]);
  });
});
