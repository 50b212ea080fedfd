import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { showUploads } from "./upload";

beforeAll(() => showUploads());

let area: HTMLTextAreaElement;
let input: HTMLInputElement;

beforeEach(() => {
  document.body.innerHTML = '<textarea id="yaml">old</textarea><input type="file" data-into="yaml"><div id="toasts"></div>';
  area = document.querySelector("textarea")!;
  input = document.querySelector("input")!;
});

function choose(bytes: BlobPart): void {
  let files = [new File([bytes], "host.yaml")];
  Object.defineProperty(input, "files", { get: () => files });
  Object.defineProperty(input, "value", { set: () => (files = []) });
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

test("a file is shown in its field, and is not sent as well", async () => {
  const [changed, typed] = [vi.fn(), vi.fn()];
  area.addEventListener("change", changed);
  area.addEventListener("input", typed);
  choose("receivers: {ä: }\n");
  await vi.waitFor(() => expect(area.value).toBe("receivers: {ä: }\n"));
  expect(changed).toHaveBeenCalledOnce();
  expect(typed).toHaveBeenCalledOnce();
  expect(input.files).toHaveLength(0);
  expect(document.body.textContent).toContain("host.yaml is in the field above");
});

test.each([
  ["that is no UTF-8", new Uint8Array([0xff, 0xfe, 0x00])],
  ["that is too large", "a".repeat(2 * 1024 * 1024 + 1)],
])("a file %s is left to the server", async (_, bytes) => {
  choose(bytes);
  await new Promise((done) => setTimeout(done, 20));
  expect(area.value).toBe("old");
  expect(input.files).toHaveLength(1);
});
