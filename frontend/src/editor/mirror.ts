/**
 * The textarea behind the editor: forms, autosave and whatever else reads it see the text as it is.
 *
 * To set a long text costs more than all else that a key does. So it is set once keys rest for a moment, and at once
 * when the text is left, the form is sent, or the page is.
 */

const REST_MS = 80;

export class Mirror {
  private pending: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly ended = new AbortController();

  /** changed: told when somebody else changed the textarea: `change` from a script, or a form that is reset. */
  constructor(private readonly area: HTMLTextAreaElement, changed: (text: string) => void) {
    const { signal } = this.ended;
    const flush = (): void => this.flush();
    const read = (): void => {
      this.pending = null;
      changed(area.value);
    };
    area.addEventListener("change", read, { signal });
    area.form?.addEventListener("reset", () => setTimeout(read), { signal });
    area.parentElement?.addEventListener("focusout", flush, { signal });
    // Before anybody else looks at what is sent or lost.
    document.addEventListener("submit", flush, { capture: true, signal });
    addEventListener("beforeunload", flush, { capture: true, signal });
    addEventListener("pagehide", flush, { capture: true, signal });
  }

  /** Bring the textarea in step soon; listeners of `input` hear it. */
  write(text: string): void {
    this.pending = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), REST_MS);
  }

  /** Bring it in step now. */
  flush(): void {
    clearTimeout(this.timer);
    if (this.pending === null) return;
    this.area.value = this.pending;
    this.pending = null;
    this.area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  /** Bring it in step and let it go. */
  stop(): void {
    this.flush();
    this.ended.abort();
  }
}
