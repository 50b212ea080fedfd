/** The page's token against forged requests, which changes when somebody signs in. */

/** Take the token of a page as it is now into this one. Answers it; null when that page leads to signing in. */
export async function renewToken(pageUrl: string): Promise<string | null> {
  const answer = await fetch(pageUrl, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const headers = page.body.getAttribute("hx-headers");
  const token: unknown = headers && (JSON.parse(headers) as Record<string, unknown>)["X-CSRFToken"];
  if (typeof token !== "string" || !headers) return null;
  document.body.setAttribute("hx-headers", headers);
  return token;
}
