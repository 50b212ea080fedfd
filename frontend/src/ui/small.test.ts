import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CopyButton, writeClipboard } from "./copy";
import { dropEmpty, guardDoubleSubmit, letButtonsGoFirst } from "./forms";
import { closeMenus } from "./menus";
import { applyTheme, themeCookie } from "./theme";
import { toast, ToastItem } from "./toasts";

customElements.define("toast-item", ToastItem);
customElements.define("copy-button", CopyButton);

describe("toasts", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    document.body.innerHTML = '<div id="toasts"></div>';
  });
  afterEach(() => void vi.useRealTimers());

  it("leave after four seconds, errors never by themselves", () => {
    toast("Saved");
    toast("The server failed", "error");
    vi.advanceTimersByTime(5000);
    expect([...document.querySelectorAll("toast-item span")].map((item) => item.textContent)).toEqual([
      "The server failed",
    ]);
    document.querySelector<HTMLButtonElement>("toast-item button")?.click();
    expect(document.querySelector("toast-item")).toBeNull();
  });

  it("show text as text", () => {
    toast("<b>edge</b>");
    expect(document.querySelector("toast-item b")).toBeNull();
  });
});

describe("copying", () => {
  it("takes its value, or the text of the element it names", () => {
    document.body.innerHTML = `<p id="c"> run me </p><copy-button value="v"></copy-button><copy-button for="c"></copy-button>`;
    const texts = [...document.querySelectorAll<CopyButton>("copy-button")].map((button) => button.text);
    expect(texts).toEqual(["v", "run me"]);
  });

  it("works over plain HTTP, where there is no clipboard API", async () => {
    vi.stubGlobal("navigator", {});
    const command = vi.fn(() => true);
    document.execCommand = command;
    expect(await writeClipboard("text", document.body)).toBe(true);
    expect(command).toHaveBeenCalledWith("copy");
    expect(document.querySelector("textarea")).toBeNull();
    vi.unstubAllGlobals();
  });
});

describe("forms", () => {
  it("leave empty filters out of the address", () => {
    const data = new FormData();
    for (const [name, value] of [["q", ""], ["status", "failed"], ["status", ""]] as const) data.append(name, value);
    dropEmpty(data);
    expect([...data.keys()]).toEqual(["status", "status"]);
  });

  it("are sent once", () => {
    guardDoubleSubmit();
    document.body.innerHTML = '<form method="post"><button>Go</button></form>';
    const form = document.querySelector("form")!;
    const send = () => form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    expect([send(), send()]).toEqual([true, false]);
  });
});

it("only one menu stays open", () => {
  document.body.innerHTML = '<details class="menu" open><p>1</p></details><details class="menu" open><p>2</p></details>';
  closeMenus(document.querySelector("p"));
  expect(document.querySelectorAll("details[open]")).toHaveLength(1);
});

it("the theme is kept in a cookie, and 'system' is no theme of ours", () => {
  expect(themeCookie("dark", true)).toBe("theme=dark; Path=/; Max-Age=31536000; SameSite=Lax; Secure");
  const root = document.createElement("div");
  applyTheme(root, "dark");
  expect(root.dataset["theme"]).toBe("dark");
  applyTheme(root, "system");
  expect("theme" in root.dataset).toBe(false);
});

describe("a look at what was typed", () => {
  it("waits for no button, and is left out while the answer to one is awaited", () => {
    document.body.innerHTML = "<form><span data-yields></span><button>Add</button></form>";
    letButtonsGoFirst();
    const asks = (selector: string) => {
      const elt = document.querySelector(selector);
      return document.dispatchEvent(new CustomEvent("htmx:confirm", { detail: { elt }, cancelable: true }));
    };
    expect(asks("span")).toBe(true);
    document.querySelector("button")?.classList.add("htmx-request");
    expect(asks("span")).toBe(false);
    expect(asks("button")).toBe(true);
  });
});
