/** Requests of the editor to the API, with the page's session. */

import type { Report } from "./check";

/** Ask what the validator finds. Rejects with words for people. */
export async function validate(
  url: string, body: { yaml: string; collector_version: string }, signal: AbortSignal,
): Promise<Report> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", ...csrfHeader() },
    body: JSON.stringify(body),
    credentials: "same-origin",
    signal,
  }).catch(() => null);
  if (!answer) throw new Error("Not checked: the server does not answer.");
  if (!answer.ok) throw new Error(await wordsOf(answer));
  return (await answer.json()) as Report;
}

/** Fetch JSON; rejects for anything else. */
export async function fetchJson(url: string): Promise<unknown> {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status} of ${url}`);
  return answer.json();
}

/** What `hx-headers` of the page's body says: the cookie is for the server alone. */
function csrfHeader(): Record<string, string> {
  const headers: unknown = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  return headers as Record<string, string>;
}

async function wordsOf(answer: Response): Promise<string> {
  if (answer.status === 401 || answer.status === 403) return "Not checked: you are signed out, or may not do this.";
  const problem = (await answer.json().catch(() => null)) as { detail?: string; title?: string } | null;
  const why = problem?.detail ?? problem?.title;
  return why ? `Not checked: ${why}` : `Not checked: the server failed (${answer.status}).`;
}
