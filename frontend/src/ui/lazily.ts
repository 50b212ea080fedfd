/** Parts that are too large for every page come with the first page that has them. */

/** Load the editor when there is one, now or in what htmx brings later. */
export function loadEditors(): void {
  const look = (): void => {
    if (document.querySelector("config-editor")) void import("../editor/main");
  };
  look();
  document.addEventListener("htmx:load", look);
}
