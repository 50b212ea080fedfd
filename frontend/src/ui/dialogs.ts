/** Dialogs: `data-open="#id"` opens one, `data-confirm="#id"` opens a confirmation instead of its page. */

/** `<confirm-dialog>` holds one dialog; pressing outside it keeps everything as it is. */
export class ConfirmDialog extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.pressed);
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.pressed);
  }

  private readonly pressed = (event: MouseEvent): void => {
    if (event.target instanceof HTMLDialogElement) closeIfOutside(event.target, event);
  };
}

/** Close a dialog when its backdrop was pressed: the press lands on the dialog, but outside its box. */
export function closeIfOutside(dialog: HTMLDialogElement, event: MouseEvent): boolean {
  const box = dialog.getBoundingClientRect();
  const inside =
    event.clientX >= box.left && event.clientX <= box.right &&
    event.clientY >= box.top && event.clientY <= box.bottom;
  if (inside) return false;
  dialog.close();
  return true;
}

/** Open dialogs from the links and buttons that name them. */
export function listenForOpeners(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey) return;
    const opener = event.target.closest<HTMLElement>("[data-open], [data-confirm]");
    const name = opener?.dataset["open"] ?? opener?.dataset["confirm"];
    const dialog = name ? document.querySelector(name) : null;
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    dialog.showModal();
  });
}
