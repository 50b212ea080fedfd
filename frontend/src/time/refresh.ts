/** Keeps `<time data-rel>` fresh and shows `<time data-abs>` in the reader's zone. */

import { absolute, clockOrDate, relative } from "./relative";

const EVERY_MS = 15_000;

/** Rewrite the times below `root`. */
export function refreshTimes(root: ParentNode, now: Date): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>("time[data-rel], time[data-abs]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    write(time, moment, now);
  }
}

function write(time: HTMLTimeElement, moment: Date, now: Date): void {
  const style = time.dataset["rel"];
  const text =
    style === undefined ? clockOrDate(moment, now) : relative(moment.getTime(), now.getTime(), style);
  if (time.textContent !== text) time.textContent = text;
  const title = absolute(moment);
  if (time.title !== title) time.title = title;
}

/** Start refreshing the page's times. */
export function keepTimesFresh(): void {
  const run = () => refreshTimes(document, new Date());
  run();
  setInterval(run, EVERY_MS);
  for (const name of ["live:updated", "htmx:afterSettle"]) document.addEventListener(name, run);
}
