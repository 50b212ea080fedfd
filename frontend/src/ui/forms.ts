/** Forms: a second press of the same button sends nothing; filter bars send no empty parameters; buttons go first. */

const AGAIN_MS = 10_000;

/** Stop a form from being sent twice. Its buttons work again when the page comes back. */
export function guardDoubleSubmit(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !isPlainPost(form, event)) return;
    if (form.dataset["sent"]) {
      event.preventDefault();
      return;
    }
    form.dataset["sent"] = "1";
    setTimeout(() => delete form.dataset["sent"], AGAIN_MS);
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset["sent"];
    }
  });
}

function isPlainPost(form: HTMLFormElement, event: SubmitEvent): boolean {
  const method = event.submitter?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get";
  return method.toLowerCase() === "post" && !event.defaultPrevented && !form.hasAttribute("hx-post");
}

/** Remove parameters without a value: the URL names only filters in force. */
export function dropEmpty(data: FormData): void {
  for (const name of new Set(data.keys())) {
    if (data.getAll(name).every((value) => value === "")) data.delete(name);
  }
}

/** Keep the addresses of filter bars (`data-tidy`) short. */
export function tidyFilters(): void {
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, formData } = (event as CustomEvent<{ elt: Element; formData: FormData }>).detail;
    if (elt.matches("[data-tidy]")) dropEmpty(formData);
  });
}

/** A look at what was typed (`data-yields`) is left out while the answer to a button is awaited: it would end that. */
export function letButtonsGoFirst(): void {
  document.addEventListener("htmx:confirm", (event) => {
    const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
    const awaited = elt.closest("form")?.querySelector("button.htmx-request");
    if (elt.matches("[data-yields]") && awaited) event.preventDefault();
  });
}
