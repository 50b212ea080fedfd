import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DraftAutosave, readAnswer, showLine } from "./autosave";

customElements.define("draft-autosave", DraftAutosave);

describe("answers of the API", () => {
  it("knows what was saved, and as which state", () => {
    expect(readAnswer(200, { lock_version: 7 })).toEqual({ kind: "saved", lockVersion: 7 });
  });

  it("names who changed the draft, or nobody when it is gone", () => {
    expect(readAnswer(409, { draft: { editor: "Maria" } })).toEqual({ kind: "changed", who: "Maria" });
    expect(readAnswer(409, { detail: "gone" })).toEqual({ kind: "changed", who: "" });
  });

  it("tells a refusal from a server that is away", () => {
    expect(readAnswer(422, { detail: "Too large." })).toEqual({ kind: "refused", why: "Too large" });
    const archived = { type: "urn:telflo:problem:archived", detail: "edge is archived." };
    expect(readAnswer(409, archived)).toEqual({ kind: "refused", why: "edge is archived" });
    expect(readAnswer(403, null).kind).toBe("refused");
    expect(readAnswer(503, null)).toEqual({ kind: "away" });
    expect(readAnswer(200, null)).toEqual({ kind: "away" });
  });
});

describe("a line of a text", () => {
  it("is selected whole", () => {
    const text = document.createElement("textarea");
    document.body.append(text);
    text.value = "one\ntwo\nthree";
    showLine(text, 2);
    expect(text.value.slice(text.selectionStart, text.selectionEnd)).toBe("two");
  });
});

describe("a draft that saves itself", () => {
  const sent: { yaml: string; lock_version: number | null }[] = [];
  let answers: { status: number; body: unknown }[] = [];

  function page(waits = ""): { text: HTMLTextAreaElement; said: HTMLElement; lock: HTMLInputElement } {
    document.body.innerHTML = `<form><input type="hidden" name="lock_version" value="1">
      <textarea name="base">a</textarea><input type="hidden" name="csrfmiddlewaretoken" value="t">
      <draft-autosave data-url="/draft/" data-findings-url="/findings/"${waits}><span data-said></span>
      <select name="collector_version"><option value="">none</option></select>
      <textarea name="yaml">a</textarea></draft-autosave></form>`;
    return {
      text: document.querySelector<HTMLTextAreaElement>("[name=yaml]")!,
      said: document.querySelector<HTMLElement>("[data-said]")!,
      lock: document.querySelector<HTMLInputElement>("[name=lock_version]")!,
    };
  }

  function type(text: HTMLTextAreaElement, words: string): void {
    text.value = words;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    vi.stubGlobal("fetch", (url: string, options?: { body?: string }) => {
      if (url === "/findings/") return Promise.resolve(new Response("", { status: 500 }));
      sent.push(JSON.parse(options?.body ?? "{}"));
      const answer = answers.shift();
      if (!answer) return Promise.reject(new Error("away"));
      return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    document.body.innerHTML = "";
  });

  it("sends one text a moment after the last key, and counts on from there", async () => {
    answers = [{ status: 200, body: { lock_version: 2 } }, { status: 200, body: { lock_version: 3 } }];
    const { text, said, lock } = page();
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(600);
    type(text, "abc");
    await vi.advanceTimersByTimeAsync(1300);
    expect(sent.map((one) => [one.yaml, one.lock_version])).toEqual([["abc", 1]]);
    expect(said.textContent).toBe("Saved");
    type(text, "abcd");
    await vi.advanceTimersByTimeAsync(1300);
    expect(sent[1]?.lock_version).toBe(2);
    expect(lock.value).toBe("3");
    expect(document.querySelector<HTMLTextAreaElement>("[name=base]")?.value).toBe("abcd");
  });

  it("sends nothing more once somebody else changed the draft, and keeps what was typed", async () => {
    answers = [{ status: 409, body: { draft: { editor: "Maria" } } }];
    const { text, said } = page();
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(1300);
    expect(said.textContent).toContain("Maria changed this draft meanwhile");
    expect(said.querySelector("button")?.value).toBe("save");
    type(text, "abc");
    await vi.advanceTimersByTimeAsync(9000);
    expect(sent).toHaveLength(1);
    expect(text.value).toBe("abc");
  });

  it("tries again while the server is away", async () => {
    answers = [];
    const { text, said } = page();
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(1300);
    expect(said.textContent).toContain("does not answer");
    answers = [{ status: 200, body: { lock_version: 2 } }];
    await vi.advanceTimersByTimeAsync(5100);
    expect(said.textContent).toBe("Saved");
  });

  it("does nothing while a person has to decide", async () => {
    const { text } = page(" data-waits");
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(9000);
    expect(sent).toHaveLength(0);
  });
});
