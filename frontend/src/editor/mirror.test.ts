import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Mirror } from "./mirror";

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = "<form><div><textarea>old</textarea><i tabindex=0></i></div></form>";
});
afterEach(() => vi.useRealTimers());
const area = () => document.querySelector("textarea") as HTMLTextAreaElement;
const form = () => document.querySelector("form") as HTMLFormElement;

it("brings the textarea in step once keys rest, and says so to the form", () => {
  const heard = vi.fn();
  form().addEventListener("input", () => heard(area().value));
  const mirror = new Mirror(area(), vi.fn());
  for (const text of ["n", "ne", "new"]) mirror.write(text);
  vi.advanceTimersByTime(100);
  expect(heard.mock.calls).toEqual([["new"]]);
  mirror.stop();
});

it("holds the newest text whenever somebody looks: the form is sent, the text is left, the page is, the editor goes", () => {
  const seen: string[] = [];
  form().addEventListener("submit", () => seen.push(area().value));
  addEventListener("beforeunload", () => seen.push(area().value), { once: true });
  const mirror = new Mirror(area(), vi.fn());
  mirror.write("sent");
  form().dispatchEvent(new Event("submit", { bubbles: true }));
  mirror.write("lost");
  dispatchEvent(new Event("beforeunload"));
  mirror.write("left");
  document.querySelector("i")?.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  seen.push(area().value);
  mirror.write("gone");
  mirror.stop();
  expect([...seen, area().value]).toEqual(["sent", "lost", "left", "gone"]);
});

it("hears what somebody else put there, until it is stopped", () => {
  const changed = vi.fn();
  const mirror = new Mirror(area(), changed);
  area().value = "theirs";
  area().dispatchEvent(new Event("change"));
  mirror.stop();
  area().dispatchEvent(new Event("change"));
  expect(changed.mock.calls).toEqual([["theirs"]]);
});
