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
    expect(readAnswer(401, null)).toEqual({ kind: "out" });
    expect(readAnswer(403, null)).toEqual({ kind: "out" });
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
  const tokens: string[] = [];
  /** The page that a fresh token is taken of; null leads to the sign-in page. */
  let fresh: string | null = null;
  let answers: { status: number; body: unknown }[] = [];

  function page(waits = ""): { text: HTMLTextAreaElement; said: HTMLElement; lock: HTMLInputElement } {
    document.body.setAttribute("hx-headers", '{"X-CSRFToken": "t"}');
    document.body.innerHTML = `<form><input type="hidden" name="lock_version" value="1">
      <textarea name="base">a</textarea><input type="hidden" name="csrfmiddlewaretoken" value="t">
      <draft-autosave data-url="/draft/" data-findings-url="/findings/" data-page-url="/page/" data-login-url="/login/"${waits}><span data-said></span>
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
    tokens.length = 0;
    fresh = null;
    vi.stubGlobal("fetch", (url: string, options?: { body?: string; headers?: Record<string, string> }) => {
      if (url === "/findings/") return Promise.resolve(new Response("", { status: 500 }));
      if (url === "/page/") {
        const html = `<body hx-headers='{"X-CSRFToken": "${fresh}"}'></body>`;
        const answer = fresh === null ? new Response("sign in") : new Response(html);
        Object.defineProperty(answer, "redirected", { value: fresh === null });
        return Promise.resolve(answer);
      }
      tokens.push(options?.headers?.["X-CSRFToken"] ?? "");
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

  it("goes on with the token of who has signed in again elsewhere", async () => {
    answers = [{ status: 403, body: null }, { status: 200, body: { lock_version: 2 } }];
    fresh = "new";
    const { text, said } = page();
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(1300);
    expect(said.textContent).toBe("Saved");
    expect(tokens).toEqual(["t", "new"]);
    expect(document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value).toBe("new");
    expect(document.body.getAttribute("hx-headers")).toContain("new");
  });

  it("sends no form of who is signed out, and sends it once they are back", async () => {
    answers = [{ status: 401, body: null }, { status: 401, body: null }];
    const { text, said } = page();
    const submits: string[] = [];
    const form = document.querySelector("form")!;
    form.requestSubmit = () => form.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
    addEventListener("submit", (event) => { submits.push(text.value); event.preventDefault(); }, { once: true });
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(1300);
    expect(said.textContent).toContain("you are signed out");
    expect(said.querySelector("a")?.getAttribute("href")).toBe("/login/");
    form.requestSubmit();
    await vi.advanceTimersByTimeAsync(100);
    expect(submits).toEqual([]);
    expect(text.value).toBe("ab");
    answers = [{ status: 403, body: null }, { status: 200, body: { lock_version: 2 } }];
    fresh = "new";
    form.requestSubmit();
    await vi.advanceTimersByTimeAsync(100);
    expect(submits).toEqual(["ab"]);
  });

  it.each([
    ["is saved first", 200, { lock_version: 2 }, 1],
    ["is sent all the same when it is refused: the page says what is wrong", 422, { detail: "no" }, 1],
    ["stays on the page while the server is away", 0, null, 0],
  ])("a form with what was typed last %s", async (_, status, body, count) => {
    answers = status ? [{ status, body }] : [];
    const { text } = page();
    const form = document.querySelector("form")!;
    let submits = 0;
    form.requestSubmit = () => form.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
    const listen = (event: Event) => { submits += 1; event.preventDefault(); };
    addEventListener("submit", listen);
    type(text, "ab");
    form.requestSubmit();
    await vi.advanceTimersByTimeAsync(100);
    removeEventListener("submit", listen);
    expect(sent.map((one) => one.yaml)).toEqual(["ab"]);
    expect(submits).toBe(count);
  });

  it("does nothing while a person has to decide", async () => {
    const { text } = page(" data-waits");
    type(text, "ab");
    await vi.advanceTimersByTimeAsync(9000);
    expect(sent).toHaveLength(0);
  });
});
