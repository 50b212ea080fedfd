/** Row selection: a table `data-select="bulk"` and the bulk form with that id. */

function boxesOf(table: Element): HTMLInputElement[] {
  return [...table.querySelectorAll<HTMLInputElement>("tbody input.checkbox")];
}

/** Bring the head's box and the numbers in line with the ticked rows. */
export function syncSelection(table: HTMLElement): void {
  const boxes = boxesOf(table);
  const ticked = boxes.filter((box) => box.checked).length;
  const all = table.querySelector<HTMLInputElement>("[data-all]");
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  showNumber(table.dataset["select"] ?? "", ticked);
}

/** Numbers stand in the bulk form as `data-n`, and anywhere as `data-n="(form id)"`. */
function showNumber(form: string, ticked: number): void {
  const places = [
    ...(document.getElementById(form)?.querySelectorAll('[data-n=""]') ?? []),
    ...document.querySelectorAll(`[data-n="${CSS.escape(form)}"]`),
  ];
  for (const place of places) place.textContent = String(ticked);
  const matching = document.getElementById(form)?.querySelector<HTMLInputElement>("[data-matching]");
  if (matching && ticked === 0) matching.checked = false;
}

function syncAll(): void {
  for (const table of document.querySelectorAll<HTMLElement>("table[data-select]")) syncSelection(table);
}

/** Follow ticks in every selectable table. */
export function followSelection(): void {
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement)) return;
    const table = box.closest<HTMLElement>("table[data-select]");
    if (!table) return;
    if (box.hasAttribute("data-all")) for (const row of boxesOf(table)) row.checked = box.checked;
    syncSelection(table);
  });
  for (const name of ["live:updated", "htmx:afterSettle"]) document.addEventListener(name, syncAll);
  addEventListener("pageshow", syncAll);
  syncAll();
}
