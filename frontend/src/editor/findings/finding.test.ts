// @vitest-environment node
import { ChangeSet } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { type Finding, counted, countWords, moved, neighbour, placed, type ServerFinding, withFaults, worst } from "./finding";

const said = (more: Partial<ServerFinding>): ServerFinding => ({
  rule: "X01", severity: "error", message: "No.", line: 1, column: 1, end_line: 1, end_column: 2,
  doc_url: "", fixes: [], ...more,
});
const found = (from: number, to: number, fixes: Finding["fixes"] = []): Finding => ({
  rule: "X01", severity: "error", message: "No.", place: { from, to }, link: "", fixes, source: "server",
});

describe("placing", () => {
  it("counts lines and characters from 1, whatever stands before", () => {
    const text = "# 😀😀\na: 😀 x\nb: y";
    const [finding] = placed([said({ line: 2, column: 6, end_line: 2, end_column: 7 })], text);
    expect(text.slice(finding?.place?.from, finding?.place?.to)).toBe("x");
  });

  it("places the edits of fixes", () => {
    const text = "# 😀\nkey: old";
    const fix = { title: "Set new", edits: [{ start: 9, end: 12, text: "new" }] };
    const [finding] = placed([said({ line: 2, fixes: [fix] })], text);
    const [edit] = finding?.fixes[0]?.edits ?? [];
    expect(text.slice(edit?.from, edit?.to)).toBe("old");
  });

  it("puts what is about the whole first, then the order of the text, the worst first", () => {
    const findings = placed(
      [said({ rule: "C", line: 2 }), said({ rule: "B", severity: "info" }), said({ rule: "A" }), said({ rule: "W", line: 0 })],
      "a\nb",
    );
    expect(findings.map((finding) => finding.rule)).toEqual(["W", "A", "B", "C"]);
    expect(findings[0]?.place).toBeNull();
  });

  it("stays within the text, however far a place is", () => {
    const [finding] = placed([said({ line: 9, column: 9, end_line: 12, end_column: 1 })], "a\nbc");
    expect(finding?.place).toEqual({ from: 4, to: 4 });
  });
});

describe("moving with the text", () => {
  const fixes = [{ title: "Fix", edits: [{ from: 10, to: 13, insert: "new" }] }];

  it("follows what is typed before it", () => {
    const [finding] = moved([found(10, 13, fixes)], ChangeSet.of({ from: 2, insert: "abc" }, 20));
    expect(finding?.place).toEqual({ from: 13, to: 16 });
    expect(finding?.fixes[0]?.edits).toEqual([{ from: 13, to: 16, insert: "new" }]);
  });

  it("keeps a finding whose place was changed, but not its fix", () => {
    const [finding] = moved([found(10, 13, fixes)], ChangeSet.of({ from: 11, to: 12 }, 20));
    expect(finding?.place).toEqual({ from: 10, to: 12 });
    expect(finding?.fixes).toEqual([]);
    const [gone] = moved([found(10, 13)], ChangeSet.of({ from: 0, to: 20 }, 20));
    expect(gone?.place).toEqual({ from: 0, to: 0 });
  });
});

it("goes from finding to finding and round at the end", () => {
  const findings = [{ ...found(0, 0), place: null }, found(5, 6), found(9, 10)];
  const from = (offset: number, step: 1 | -1) => neighbour(findings, offset, step)?.place?.from;
  expect([from(0, 1), from(5, 1), from(9, 1)]).toEqual([5, 9, 5]);
  expect([from(9, -1), from(5, -1)]).toEqual([5, 9]);
  expect(neighbour([], 0, 1)).toBeNull();
});

it("says how many there are", () => {
  expect(countWords(counted([]))).toBe("No findings");
  expect(countWords({ error: 1, warning: 2, info: 0 })).toBe("1 error, 2 warnings");
  expect(countWords({ error: 0, warning: 0, info: 1 })).toBe("1 hint");
  expect(worst([{ ...found(0, 1), severity: "info" }, { ...found(0, 1), severity: "warning" }])).toBe("warning");
  expect(worst([])).toBeNull();
});

it("exchanges the browser's faults and keeps what the server said", () => {
  const fault = (from: number) => ({ from, to: from + 1, message: "Not YAML." });
  const before = withFaults([found(4, 5)], [fault(2)]);
  expect(before.map(({ place, source }) => [place?.from, source])).toEqual([[2, "browser"], [4, "server"]]);
  expect(withFaults(before, [fault(9)]).map(({ place }) => place?.from)).toEqual([4, 9]);
  expect(withFaults(before, [])).toEqual([found(4, 5)]);
});
