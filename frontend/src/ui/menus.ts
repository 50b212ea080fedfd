/** Menus (`details.menu`): one open at a time, closed by a press outside, a choice, or Escape. */

function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")];
}

/** Close every open menu that does not hold `inside`. */
export function closeMenus(inside: Node | null): void {
  for (const menu of openMenus()) if (!inside || !menu.contains(inside)) menu.open = false;
}

/** Make menus behave like menus. */
export function tendMenus(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    closeMenus(target);
    if (target.closest(".pop > a, .pop > button")) closeMenus(null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const [menu] = openMenus();
    closeMenus(null);
    menu?.querySelector("summary")?.focus();
  });
}
