/** `hx-swap="morph"`: htmx answers change the page in place, as live changes do. */

import htmx from "htmx.org";
import { morph } from "../live/morph";

/** Make the swap style known to htmx. */
export function defineMorphSwap(): void {
  htmx.defineExtension("morph", {
    isInlineSwap: (style: string) => style === "morph",
    handleSwap: (style: string, target: Node, fragment: Node) => {
      const next = fragment instanceof Element ? fragment : (fragment as ParentNode & Node).firstElementChild;
      if (style !== "morph" || !(target instanceof Element) || !next) return false;
      return morph(target, next);
    },
  });
}
