/** Fetches newer renderings of live elements: one request per address, at most one a second. */

import { glowChanged, rowTexts } from "./fresh";
import { morph } from "./morph";

const GAP_MS = 1000;
const SOON_MS = 40;

export interface RefreshOptions {
  fetchPage(url: string, ids: string[]): Promise<Document | null>;
  isBusy(element: HTMLElement): boolean;
  afterMorph(element: HTMLElement): void;
}

export class Refresher {
  private readonly dirty = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<boolean> | null = null;
  private lastRun = 0;

  constructor(private readonly options: RefreshOptions) {}

  /** Mark elements as out of date; they are fetched soon. */
  request(ids: string[]): void {
    for (const id of ids) this.dirty.add(id);
    this.schedule();
  }

  /** Fetch elements now. False when an answer did not come. */
  async refreshNow(ids: string[]): Promise<boolean> {
    for (const id of ids) this.dirty.add(id);
    if (this.running) await this.running;
    return this.run();
  }

  private schedule(): void {
    if (this.timer !== undefined || this.running || this.dirty.size === 0) return;
    const wait = Math.max(SOON_MS, this.lastRun + GAP_MS - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.running) void this.run();
    }, wait);
  }

  private async run(): Promise<boolean> {
    this.running = this.fetchDirty();
    const complete = await this.running;
    this.running = null;
    this.lastRun = Date.now();
    this.schedule();
    return complete;
  }

  private async fetchDirty(): Promise<boolean> {
    const elements = this.takeReady();
    const answers = await Promise.all(
      [...byAddress(elements)].map(([url, group]) => this.fetchGroup(url, group)),
    );
    return answers.every(Boolean);
  }

  /** The elements to fetch now. Those a person is busy with stay dirty; inner ones follow outer ones. */
  private takeReady(): HTMLElement[] {
    const wanted = [...this.dirty]
      .map((id) => document.getElementById(id))
      .filter((element): element is HTMLElement => element !== null);
    const busy = new Set(wanted.filter((element) => this.options.isBusy(element)));
    this.dirty.clear();
    for (const element of busy) this.dirty.add(element.id);
    const ready = wanted.filter((element) => !busy.has(element));
    return ready.filter((inner) => !ready.some((outer) => outer !== inner && outer.contains(inner)));
  }

  private async fetchGroup(url: string, elements: HTMLElement[]): Promise<boolean> {
    const ids = elements.map((element) => element.id);
    const page = await this.options.fetchPage(url, ids);
    if (!page) return false;
    for (const id of ids) this.exchange(id, page);
    return true;
  }

  private exchange(id: string, page: Document): void {
    const old = document.getElementById(id);
    if (!old) return;
    if (this.options.isBusy(old)) {
      this.dirty.add(id);
      return;
    }
    const next = page.getElementById(id);
    if (next) this.morphInto(old, next);
    else this.exchangeMain(page);
  }

  private morphInto(old: HTMLElement, next: HTMLElement): void {
    const before = rowTexts(old);
    morph(old, next);
    const now = document.getElementById(next.id);
    if (!now) return;
    glowChanged(now, before);
    this.options.afterMorph(now);
  }

  /** The page has another shape now (the empty list got its first row): take its whole content. */
  private exchangeMain(page: Document): void {
    const old = document.getElementById("main");
    const next = page.getElementById("main");
    if (!old || !next || this.options.isBusy(old)) return;
    morph(old, next);
    this.options.afterMorph(old);
  }
}

/** Elements grouped by where their newer rendering comes from. */
function byAddress(elements: HTMLElement[]): Map<string, HTMLElement[]> {
  const groups = new Map<string, HTMLElement[]>();
  for (const element of elements) {
    const url = element.dataset["liveUrl"] || location.href;
    groups.set(url, [...(groups.get(url) ?? []), element]);
  }
  return groups;
}
