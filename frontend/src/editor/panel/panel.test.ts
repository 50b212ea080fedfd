import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Finding } from "../findings/finding";
import { FindingsPanel } from "./findings";
import { OutlinePanel } from "./outline";
import { Tabs } from "./tabs";

beforeEach(() => document.body.replaceChildren());

const finding = (message: string, from: number | null, titles: string[] = []): Finding => ({
  rule: "L08", severity: "warning", message, link: "https://docs.example/", source: "server",
  place: from === null ? null : { from, to: from + 1 },
  fixes: titles.map((title) => ({ title, edits: [] })),
});

describe("findings", () => {
  const lineOf = (offset: number) => offset + 1;
  function panel(canFix = true) {
    const deeds = { go: vi.fn(), fix: vi.fn() };
    const shown = new FindingsPanel(deeds, canFix);
    document.body.append(shown.element);
    return { shown, deeds };
  }

  it("lead to their lines and offer their fixes", () => {
    const { shown, deeds } = panel();
    const one = finding("Set tls.", 4, ["Set it"]);
    shown.show([finding("All of it.", null), one], lineOf, "");
    const [other, row] = document.querySelectorAll("li");
    expect(row?.querySelector("p")?.textContent).toBe("Set tls.");
    expect(other?.textContent).not.toContain("Line");
    row?.querySelector<HTMLElement>("[data-go]")?.click();
    row?.querySelector<HTMLElement>("[data-fix]")?.click();
    expect(deeds.go).toHaveBeenCalledWith(one);
    expect(deeds.fix).toHaveBeenCalledWith(one.fixes[0]);
  });

  it("stand with the worst first, those of one severity in the order of the text", () => {
    const { shown, deeds } = panel();
    const said = (message: string, from: number | null, severity: Finding["severity"]) => ({ ...finding(message, from), severity });
    const last = said("E2.", 9, "error");
    const findings = [said("W0.", null, "warning"), said("I.", 1, "info"), said("W1.", 2, "warning"), said("E1.", 3, "error"), last];
    shown.show(findings, lineOf, "");
    const words = () => [...document.querySelectorAll("li p")].map((one) => one.textContent);
    expect(words()).toEqual(["E1.", "E2.", "W0.", "W1.", "I."]);
    document.querySelectorAll<HTMLElement>("[data-go]")[1]?.click();
    expect(deeds.go).toHaveBeenCalledWith(last);
    shown.show(findings.toReversed(), lineOf, "");
    expect(words()).toEqual(["E1.", "E2.", "W0.", "W1.", "I."]);
  });

  it("keep their elements, and so the focus, where they stay the same", () => {
    const { shown } = panel();
    shown.show([finding("A.", 0), finding("B.", 5)], lineOf, "");
    const second = document.querySelectorAll("li")[1];
    second?.querySelector("button")?.focus();
    shown.show([finding("B.", 5)], lineOf, "");
    shown.show([finding("New.", 1), finding("B.", 5)], lineOf, "");
    expect([...document.querySelectorAll("li p")].map((one) => one.textContent)).toEqual(["New.", "B."]);
  });

  it("offer no fixes where nothing may be changed, and say when there are none", () => {
    const { shown } = panel(false);
    shown.show([finding("A.", 0, ["Fix"])], lineOf, "Nothing.");
    expect(document.querySelector("[data-fix]")).toBeNull();
    expect(document.body.textContent).not.toContain("Nothing.");
    shown.show([], lineOf, "Nothing.");
    expect(document.body.textContent).toContain("Nothing.");
  });
});

it("the outline leads to lines and marks where the cursor is", () => {
  const go = vi.fn();
  const outline = new OutlinePanel(go);
  document.body.append(outline.element);
  const entries = [{ name: "receivers", line: 1, children: [{ name: "otlp", line: 2, children: [] }] }];
  outline.show(entries, 3);
  expect(document.querySelector("[aria-current]")?.textContent).toBe("otlp");
  document.querySelectorAll("button")[1]?.click();
  expect(go).toHaveBeenCalledWith(2);
  outline.show([], 1);
  expect(document.body.textContent).toContain("begins with receivers");
});

it("tabs show one panel, by pointer and arrow keys", () => {
  const panels = [document.createElement("p"), document.createElement("p")];
  const tabs = new Tabs("About", panels.map((panel, at) => ({ id: `t${at}`, title: `T${at}`, panel })), vi.fn());
  document.body.append(tabs.bar, ...tabs.panels);
  const [first, second] = document.querySelectorAll("button");
  expect(tabs.panels.map((panel) => panel.hidden)).toEqual([false, true]);
  first?.focus();
  tabs.bar.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  expect(document.activeElement).toBe(second);
  expect(tabs.panels.map((panel) => panel.hidden)).toEqual([true, false]);
  expect([first?.tabIndex, second?.tabIndex]).toEqual([-1, 0]);
  tabs.count(0, 3);
  tabs.count(0, 4);
  expect(first?.textContent).toBe("T0 4");
});
