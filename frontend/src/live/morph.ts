/** Change an element in place into a newer rendering of itself, keeping what a person did to it. */

import { Idiomorph } from "idiomorph";

type Typed = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Morph `old` into `next`. Kept: focus, typed text, ticks, chosen options, open details and dialogs. */
export function morph(old: Element, next: Element): Node[] {
  const result = Idiomorph.morph(old, next, {
    morphStyle: "outerHTML",
    ignoreActiveValue: true,
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed: (from: Node, to: Node) => {
        // An editor holds more than a rendering knows: the text as it is now, its history, the cursor.
        if (from instanceof Element && from.localName === "config-editor") return false;
        if (from instanceof Element && to instanceof Element) keepInput(from, to);
        return true;
      },
      beforeAttributeUpdated: (name: string, node: Element) =>
        !(name === "open" && (node.localName === "details" || node.localName === "dialog")),
    },
  });
  return result as Node[];
}

/** Carry over what a person changed and has not sent. */
function keepInput(from: Element, to: Element): void {
  if (from instanceof HTMLInputElement && to instanceof HTMLInputElement) {
    if (from.type === "checkbox" || from.type === "radio") {
      if (from.checked !== from.defaultChecked) to.checked = from.checked;
      return;
    }
  }
  if (isTyped(from) && isTyped(to) && wasChanged(from)) to.value = from.value;
}

function isTyped(element: Element): element is Typed {
  return ["input", "textarea", "select"].includes(element.localName);
}

function wasChanged(element: Typed): boolean {
  if (element instanceof HTMLSelectElement) {
    return [...element.options].some((option) => option.selected !== option.defaultSelected);
  }
  return element.value !== element.defaultValue;
}
