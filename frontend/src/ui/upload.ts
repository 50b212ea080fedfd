/**
 * `<input type="file" data-into="id of a textarea">`: the file that a person chooses is shown in that field, where it is
 * checked before anything is saved. What cannot be shown (too large, no UTF-8) is left to the server, which says why.
 */

import { toast } from "./toasts";

const MOST_BYTES = 2 * 1024 * 1024;

export function showUploads(): void {
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input instanceof HTMLInputElement && input.type === "file") void show(input);
  });
}

async function show(input: HTMLInputElement): Promise<void> {
  const area = document.getElementById(input.dataset["into"] ?? "");
  const file = input.files?.[0];
  if (!(area instanceof HTMLTextAreaElement) || !file) return;
  const text = await textOf(file);
  if (text === null || input.files?.[0] !== file) return;
  area.value = text;
  area.dispatchEvent(new Event("change", { bubbles: true })); // for the editor
  area.dispatchEvent(new InputEvent("input", { bubbles: true })); // for the draft, which is kept
  input.value = ""; // else the server would take the file instead of what is written from here on
  toast(`${file.name} is in the field above`);
}

async function textOf(file: File): Promise<string | null> {
  if (file.size > MOST_BYTES) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return null;
  }
}
