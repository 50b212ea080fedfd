/** Puts the parts together: the text and its textarea, the server's findings and the browser's, the panels. */

import { isolateHistory } from "@codemirror/commands";
import { openSearchPanel } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, type ViewUpdate } from "@codemirror/view";
import { CatalogClient } from "./catalog/client";
import { completing } from "./complete/source";
import { explaining } from "./explain/tooltip";
import { Checker, type Report } from "./findings/check";
import { applyFix, findingsIn, goTo, goToNeighbour, setFindings } from "./findings/field";
import { type Counts, counted, countWords, placed, withFaults } from "./findings/finding";
import { fetchJson, validate } from "./findings/server";
import type { Fault } from "./findings/syntax";
import { SyntaxWatch } from "./findings/watch";
import { Mirror } from "./mirror";
import { FindingsPanel } from "./panel/findings";
import { type Frame, frameOf } from "./panel/frame";
import { OutlinePanel } from "./panel/outline";
import { difference } from "./text/difference";
import { outline } from "./view/document";
import { basics, type Manners } from "./view/setup";

export interface Options extends Manners {
  /** Where findings come from; "" when the server is not asked. */
  validateUrl: string;
  /** Where catalogs come from, as a prefix; "" for none. */
  catalogUrl: string;
  /** The collector version that the text is for, as it is chosen now; "" for the newest. */
  version(): string;
  /** A prefix for ids that no other element of the page has. */
  id: string;
  /** Told how many findings there are, whenever there are others. */
  counted(counts: Counts): void;
}

/** So long after the last key the panels follow and the browser looks for faults of syntax. */
const REST_MS = 120;

export class ConfigurationEditor {
  readonly frame: Frame;
  readonly view: EditorView;
  private readonly mirror: Mirror;
  private readonly checker: Checker;
  private readonly syntax = new SyntaxWatch((text, faults) => this.foundFaults(text, faults));
  private readonly findings: FindingsPanel;
  private readonly outline: OutlinePanel;
  private text: string;
  /** The text that the server has judged. */
  private checked: string | null = null;
  private isTaking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(area: HTMLTextAreaElement, private readonly options: Options) {
    this.findings = new FindingsPanel(
      { go: (finding) => goTo(this.view, finding), fix: (fix) => applyFix(this.view, fix) }, !options.isReadOnly,
    );
    this.outline = new OutlinePanel((line) => this.goToLine(line));
    const tabs = [
      { id: `${options.id}-findings`, title: "Findings", panel: this.findings.element },
      { id: `${options.id}-outline`, title: "Outline", panel: this.outline.element },
    ];
    this.frame = frameOf(options.id, tabs, () => this.restSoon());
    this.text = area.value;
    this.view = this.open();
    this.mirror = new Mirror(area, (text) => this.take(text));
    this.checker = new Checker((signal) => this.ask(signal), {
      found: (report) => this.found(report),
      failed: (words) => this.say(words),
    });
    this.frame.search.addEventListener("click", () => openSearchPanel(this.view));
    for (const part of this.frame.parts) part.addEventListener("keydown", this.pressed);
    this.check();
  }

  /** Ask the server now: the collector version is another one. */
  check(): void {
    this.restSoon();
    if (this.options.validateUrl) void this.checker.now();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.checker.stop();
    this.syntax.stop();
    this.mirror.stop();
    this.view.destroy();
    for (const part of this.frame.parts) part.remove();
  }

  private open(): EditorView {
    const catalog = new CatalogClient(this.options.catalogUrl, () => this.options.version(), fetchJson);
    const checkNow = () => (this.check(), true);
    const extensions = [
      keymap.of([{ key: "Mod-Enter", run: checkNow }]),
      this.options.isReadOnly ? [] : completing(catalog),
      explaining(catalog),
      basics(this.options),
      EditorView.updateListener.of((update) => this.updated(update)),
    ];
    // In a shadow root CodeMirror's styles are constructed sheets: see view/theme.ts.
    const root = this.frame.text.attachShadow({ mode: "open" });
    return new EditorView({ state: EditorState.create({ doc: this.text, extensions }), parent: root, root });
  }

  private updated(update: ViewUpdate): void {
    if (update.docChanged) this.changed(update.state.doc.toString());
    else if (update.selectionSet) this.restSoon();
    if (update.transactions.some((one) => one.effects.some((effect) => effect.is(setFindings)))) this.showFindings();
  }

  private changed(text: string): void {
    this.text = text;
    if (!this.isTaking) this.mirror.write(text);
    if (this.options.validateUrl) this.checker.changed();
    this.restSoon();
  }

  /** The textarea was changed by somebody else: the text follows, and the rest of it keeps its cursor and history. */
  private take(text: string): void {
    const change = difference(this.text, text.replace(/\r\n?/g, "\n"));
    if (!change) return;
    this.isTaking = true;
    this.view.dispatch({ changes: change, annotations: isolateHistory.of("full") });
    this.isTaking = false;
  }

  private restSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rested(), REST_MS);
  }

  private rested(): void {
    this.syntax.look(this.text);
    this.showFindings();
    const { doc, selection } = this.view.state;
    if (!this.outline.isHidden) this.outline.show(outline(doc), doc.lineAt(selection.main.head).number);
  }

  private async ask(signal: AbortSignal): Promise<Report> {
    if (this.text.trim() === "") return { findings: [] };
    return validate(this.options.validateUrl, { yaml: this.text, collector_version: this.options.version() }, signal);
  }

  private found(report: Report): void {
    this.checked = this.text;
    this.syntax.settled(this.text);
    this.show(placed(report.findings, this.text));
    this.say(report.left_off ? `${report.left_off} more are not shown.` : "");
  }

  private foundFaults(text: string, faults: Fault[]): void {
    if (text === this.text) this.show(withFaults(findingsIn(this.view), faults));
  }

  private show(findings: ReturnType<typeof placed>): void {
    this.view.dispatch({ effects: setFindings.of(findings) });
  }

  private showFindings(): void {
    const findings = findingsIn(this.view);
    const { doc } = this.view.state;
    this.findings.show(findings, (offset) => doc.lineAt(Math.min(offset, doc.length)).number, this.whenEmpty());
    this.frame.tabs.count(0, findings.length);
    const counts = counted(findings);
    const words = countWords(counts);
    if (this.frame.summary.textContent === words) return;
    this.frame.summary.textContent = words;
    this.options.counted(counts);
  }

  private whenEmpty(): string {
    if (this.text.trim() === "") return "What the server finds in the text appears here as you write.";
    return this.text === this.checked ? "No findings. A collector of this version takes the text, as far as is known." : "";
  }

  private say(words: string): void {
    if (this.frame.note.textContent !== words) this.frame.note.textContent = words;
  }

  private goToLine(number: number): void {
    const { doc } = this.view.state;
    const { from } = doc.line(Math.min(number, doc.lines));
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "start", yMargin: 40 }) });
    this.view.focus();
  }

  /** F8 works in the panels too. */
  private readonly pressed = (event: KeyboardEvent): void => {
    if (event.key !== "F8" || event.defaultPrevented) return;
    event.preventDefault();
    goToNeighbour(event.shiftKey ? -1 : 1)(this.view);
  };
}
