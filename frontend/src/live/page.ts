/** How live elements meet the real page: fetching it, and knowing when a person must not be disturbed. */

const HANDS = "button:hover, a.btn:hover, summary:hover, .menu[open], select:focus, dialog[open]";

/** Whether a change would move something under a pointer, or behind an open dialog or menu. */
export function isBusy(element: HTMLElement): boolean {
  return document.querySelector("dialog[open]") !== null || element.querySelector(HANDS) !== null;
}

/** Fetch a page again. Null when it did not come; a page that moved (signed out) is loaded whole. */
export async function fetchPage(url: string, ids: string[]): Promise<Document | null> {
  try {
    const answer = await fetch(url, {
      headers: { "X-Live": ids.join(" "), Accept: "text/html" },
      credentials: "same-origin",
      cache: "no-store",
    });
    if (answer.redirected) {
      location.reload();
      return null;
    }
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}
