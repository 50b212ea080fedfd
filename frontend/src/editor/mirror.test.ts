import { beforeEach, expect, it, vi } from "vitest";
import { Mirror } from "./mirror";

beforeEach(() => {
  document.body.innerHTML = "<form><textarea>old</textarea></form>";
});
const area = () => document.querySelector("textarea") as HTMLTextAreaElement;

it("keeps the textarea in step and says so to the form", () => {
  const heard = vi.fn();
  document.querySelector("form")?.addEventListener("input", () => heard(area().value));
  new Mirror(area(), vi.fn()).write("new");
  expect(heard.mock.calls).toEqual([["new"]]);
});

it("hears what somebody else put there", () => {
  const changed = vi.fn();
  const mirror = new Mirror(area(), changed);
  area().value = "theirs";
  area().dispatchEvent(new Event("change"));
  mirror.stop();
  area().dispatchEvent(new Event("change"));
  expect(changed.mock.calls).toEqual([["theirs"]]);
});
