import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { holdLongForms } from "./held";

const PAGE = `<body hx-headers='{"X-CSRFToken": "new"}'></body>`;
let sent: string[];

beforeAll(() => {
  holdLongForms();
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) sent.push(new FormData(event.target as HTMLFormElement, event.submitter).get("do") as string);
    event.preventDefault();
  });
});

beforeEach(() => {
  sent = [];
  document.body.innerHTML = `<form data-held="/page/"><input type="hidden" name="csrfmiddlewaretoken" value="old">
    <p data-not-sent hidden></p><textarea name="yaml">mine</textarea><button name="do" value="draft"></button></form>`;
});
afterEach(() => void vi.unstubAllGlobals());

/** Presses the button, and waits until the server's answer was read. */
async function press(answer: () => Promise<unknown>): Promise<void> {
  const asking = vi.fn(answer);
  vi.stubGlobal("fetch", asking);
  document.querySelector("button")!.click();
  await vi.waitFor(() => expect(asking).toHaveBeenCalledWith("/page/", { credentials: "same-origin" }));
  await new Promise((done) => setTimeout(done, 0));
}

const hidden = (): boolean => document.querySelector("[data-not-sent]")!.hasAttribute("hidden");

it("is sent by the same button, with the token of whoever is signed in now", async () => {
  await press(() => Promise.resolve({ ok: true, redirected: false, text: () => Promise.resolve(PAGE) }));
  expect(sent).toEqual(["draft"]);
  expect(document.querySelector("input")!.value).toBe("new");
  expect(hidden()).toBe(true);
});

it.each([
  ["is signed out", () => Promise.resolve({ ok: true, redirected: true, text: () => Promise.resolve(PAGE) })],
  ["has lost the server", () => Promise.reject(new TypeError("no network"))],
])("stays where it is of who %s, says so, and is sent later", async (_who, answer) => {
  await press(answer);
  expect(sent).toEqual([]);
  expect(hidden()).toBe(false);
  await press(() => Promise.resolve({ ok: true, redirected: false, text: () => Promise.resolve(PAGE) }));
  expect(sent).toEqual(["draft"]);
  expect(hidden()).toBe(true);
});

it("of another kind is let alone", () => {
  document.querySelector("form")!.removeAttribute("data-held");
  document.querySelector("button")!.click();
  expect(sent).toEqual(["draft"]);
});
