import { beforeAll, beforeEach, expect, it } from "vitest";
import { actionFor, listenForKeys, type Press } from "./keyboard";

const press = (key: string, more: Partial<Press> = {}) =>
  actionFor({ key, ctrl: false, typing: false, afterG: false, ...more });

it("knows the map", () => {
  expect(press("/")).toEqual({ do: "search" });
  expect(press("k", { ctrl: true })).toEqual({ do: "search" });
  expect(press("?")).toEqual({ do: "help" });
  expect(press("j")).toEqual({ do: "row", step: 1 });
  expect(press("k")).toEqual({ do: "row", step: -1 });
  expect(press("x")).toEqual({ do: "tick" });
  expect(press("r", { afterG: true })).toEqual({ do: "go", key: "r" });
});

it("leaves typing and the browser's own shortcuts alone", () => {
  for (const key of ["/", "?", "j", "x"]) expect(press(key, { typing: true })).toBeNull();
  expect(press("x", { ctrl: true })).toBeNull();
  expect(press("r")).toBeNull();
  expect(press("z", { afterG: true })).toBeNull();
});

beforeAll(() => listenForKeys());
beforeEach(() => {
  document.body.innerHTML = `<main><input data-find><table><tbody>
    <tr><td><input type="checkbox" class="checkbox"></td><td><a class="name" href="#1">one</a></td></tr>
    <tr><td><input type="checkbox" class="checkbox"></td><td><a class="name" href="#2">two</a></td></tr>
  </tbody></table></main>`;
});

const type = (key: string) =>
  document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));

it("walks the rows and ticks them", () => {
  type("j");
  type("j");
  expect(document.activeElement?.textContent).toBe("two");
  type("x");
  type("k");
  expect(document.activeElement?.textContent).toBe("one");
  const ticks = [...document.querySelectorAll<HTMLInputElement>(".checkbox")].map((box) => box.checked);
  expect(ticks).toEqual([false, true]);
});

it("puts the cursor into the page's own search", () => {
  type("/");
  expect(document.activeElement?.hasAttribute("data-find")).toBe(true);
});
