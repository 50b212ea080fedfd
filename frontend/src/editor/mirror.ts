/** The textarea behind the editor: forms, autosave and whatever else reads it see the text as it is. */

export class Mirror {
  constructor(
    private readonly area: HTMLTextAreaElement,
    /** Told when somebody else changed the textarea: `change` from a script, or a form that is reset. */
    private readonly changed: (text: string) => void,
  ) {
    area.addEventListener("change", this.read);
    area.form?.addEventListener("reset", this.readLater);
  }

  stop(): void {
    this.area.removeEventListener("change", this.read);
    this.area.form?.removeEventListener("reset", this.readLater);
  }

  /** Keep the textarea in step; listeners of `input` hear it. */
  write(text: string): void {
    this.area.value = text;
    this.area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  private readonly read = (): void => this.changed(this.area.value);

  private readonly readLater = (): void => {
    setTimeout(this.read);
  };
}
