/**
 * `form[data-held]`, a form that is long to fill in: before it is sent, the page that `data-held` names is asked for. Who
 * is signed out, or has lost the server, keeps what they typed, and `[data-not-sent]` in the form says so.
 */

import { renewToken } from "./token";

const sure = new WeakSet<HTMLFormElement>();

/** Hears of a form before anything else does. */
export function holdLongForms(): void {
  document.addEventListener("submit", asked, true);
}

function asked(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset["held"] === undefined || sure.delete(form)) return;
  event.preventDefault();
  event.stopPropagation();
  void send(form, form.dataset["held"], event.submitter);
}

async function send(form: HTMLFormElement, page: string, button: HTMLElement | null): Promise<void> {
  const token = await renewToken(page);
  const said = form.querySelector<HTMLElement>("[data-not-sent]");
  said?.toggleAttribute("hidden", token !== null);
  if (token === null) return said?.scrollIntoView({ block: "nearest" });
  const field = form.elements.namedItem("csrfmiddlewaretoken");
  if (field instanceof HTMLInputElement) field.value = token;
  sure.add(form);
  form.requestSubmit(button);
}
