/** Tabs that do not fit scroll sideways: the current one is brought into view. */
export function showCurrentTab(): void {
  for (const tab of document.querySelectorAll<HTMLElement>(".tabs [aria-current]")) {
    const bar = tab.parentElement;
    if (bar && tab.offsetLeft + tab.offsetWidth > bar.clientWidth) bar.scrollLeft = tab.offsetLeft - 16;
  }
}
