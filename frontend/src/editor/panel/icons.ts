/** The icons that scripts draw. Shapes: Lucide, ISC licence. */

import type { Severity } from "../findings/finding";

const SHAPES = {
  error: ["m15 9-6 6", "M2.586 16.726A2 2 0 0 1 2 15.312V8.688a2 2 0 0 1 .586-1.414l4.688-4.688A2 2 0 0 1 8.688 2h6.624a2 2 0 0 1 1.414.586l4.688 4.688A2 2 0 0 1 22 8.688v6.624a2 2 0 0 1-.586 1.414l-4.688 4.688a2 2 0 0 1-1.414.586H8.688a2 2 0 0 1-1.414-.586z", "m9 9 6 6"],
  warning: ["m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3", "M12 9v4", "M12 17h.01"],
  info: ["M2 12a10 10 0 1 0 20 0 10 10 0 1 0-20 0", "M12 16v-4", "M12 8h.01"],
  check: ["M20 6 9 17l-5-5"],
  search: ["m21 21-4.34-4.34", "M3 11a8 8 0 1 0 16 0 8 8 0 1 0-16 0"],
} as const;

export type IconName = keyof typeof SHAPES;

export const ICON_OF: Record<Severity, IconName> = { error: "error", warning: "warning", info: "info" };

const SVG = "http://www.w3.org/2000/svg";

/** Draw an icon, hidden from screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("class", "i");
  drawn.setAttribute("aria-hidden", "true");
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    drawn.append(path);
  }
  return drawn;
}
