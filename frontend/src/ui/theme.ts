/** `<theme-switch>`: changes the theme in place; the form inside does the same without script. */

export type Theme = "system" | "light" | "dark";

const YEAR_S = 365 * 24 * 3600;

/** The cookie that the server reads to render the theme. */
export function themeCookie(theme: Theme, secure: boolean): string {
  return `theme=${theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure ? "; Secure" : ""}`;
}

/** Show a theme: `system` leaves the choice to the media query. */
export function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
}

export class ThemeSwitch extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("submit", this.choose);
  }

  disconnectedCallback(): void {
    this.removeEventListener("submit", this.choose);
  }

  private readonly choose = (event: SubmitEvent): void => {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const theme = button.value as Theme;
    document.cookie = themeCookie(theme, location.protocol === "https:");
    applyTheme(document.documentElement, theme);
    for (const other of this.querySelectorAll<HTMLButtonElement>("button[name=theme]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.querySelector("summary")?.setAttribute("aria-label", `Theme: ${theme}`);
    this.querySelector("details")?.removeAttribute("open");
  };
}
