/** The keyboard map: what a key means, and doing it. `?` lists it in the page. */

export type Action =
  | { do: "search" }
  | { do: "help" }
  | { do: "go"; key: string }
  | { do: "row"; step: 1 | -1 }
  | { do: "tick" };

export interface Press {
  key: string;
  ctrl: boolean;
  typing: boolean;
  /** Whether `g` was pressed just before. */
  afterG: boolean;
}

const PLACES = "ofacrt";

/** What a key press means, or null. */
export function actionFor(press: Press): Action | null {
  if (press.key === "k" && press.ctrl) return { do: "search" };
  if (press.ctrl || press.typing) return null;
  if (press.afterG && PLACES.includes(press.key)) return { do: "go", key: press.key };
  switch (press.key) {
    case "/":
      return { do: "search" };
    case "?":
      return { do: "help" };
    case "j":
      return { do: "row", step: 1 };
    case "k":
      return { do: "row", step: -1 };
    case "x":
      return { do: "tick" };
    default:
      return null;
  }
}

const AFTER_G_MS = 900;
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const ROWS = "main table tbody a.name, main .rows > a";

function focusSearch(): void {
  const field = document.querySelector<HTMLElement>("main [data-find]") ?? document.getElementById("find");
  field?.focus();
}

function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const row = document.activeElement?.closest("tr, .rows > a");
  const here = rows.findIndex((link) => link === row || row?.contains(link));
  const next = rows[here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function tickRow(): void {
  document.activeElement?.closest("tr")?.querySelector<HTMLInputElement>("input.checkbox")?.click();
}

function perform(action: Action): void {
  switch (action.do) {
    case "search":
      return focusSearch();
    case "help":
      return document.querySelector<HTMLDialogElement>("dialog#keys")?.showModal();
    case "go":
      return document.querySelector<HTMLElement>(`[data-go="${action.key}"]`)?.click();
    case "row":
      return moveRow(action.step);
    case "tick":
      return tickRow();
  }
}

/** Listen for keys on the whole page. A dialog that is open keeps them to itself. */
export function listenForKeys(): void {
  let lastG = 0;
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    // A target inside of a shadow root is shown as its host; the path begins with the true one.
    const [target] = event.composedPath();
    const typing = target instanceof Element && target.matches(TYPING);
    const afterG = event.timeStamp - lastG < AFTER_G_MS && lastG > 0;
    const action = actionFor({ key: event.key, ctrl: event.ctrlKey || event.metaKey, typing, afterG });
    lastG = event.key === "g" && !typing ? event.timeStamp : 0;
    if (!action) return;
    event.preventDefault();
    perform(action);
  });
}
