/** The editor's keys, as a dialog. */

import { h } from "./dom";

const KEYS: [keys: string[], deed: string][] = [
  [["Ctrl", "Space"], "What can be written here"],
  [["Ctrl", "Shift", "Space"], "Explain the word at the cursor"],
  [["F8"], "Next finding"],
  [["Shift", "F8"], "Previous finding"],
  [["Ctrl", "."], "Fix the finding at the cursor"],
  [["Ctrl", "Enter"], "Check now"],
  [["Ctrl", "F"], "Search and replace"],
  [["Ctrl", "Alt", "G"], "Go to a line"],
  [["Ctrl", "Shift", "["], "Fold, and with ] unfold"],
  [["Ctrl", "/"], "Comment, and back"],
  [["Tab"], "Indent; with Shift back"],
  [["Esc", "Tab"], "Leave the editor: Escape, then Tab"],
  [["Ctrl", "M"], "Let Tab leave the editor always, or indent again"],
];

/** A dialog that lists them; `id` names it. On a Mac, Ctrl is Cmd. */
export function keysDialog(id: string): HTMLDialogElement {
  const rows = KEYS.flatMap(([keys, deed]) => [
    h("dt", {}, ...keys.flatMap((key, at) => (at > 0 ? [" ", h("kbd", {}, key)] : [h("kbd", {}, key)]))),
    h("dd", {}, deed),
  ]);
  const close = h("button", { type: "button", class: "btn" }, "Close");
  const dialog = h(
    "dialog", { class: "dlg", "aria-labelledby": `${id}-title` },
    h("div", { class: "bd" }, h("h2", { id: `${id}-title` }, "Keys of the editor"), h("dl", { class: "kv fit keys" }, ...rows)),
    h("footer", {}, close),
  );
  close.addEventListener("click", () => dialog.close());
  return dialog;
}
