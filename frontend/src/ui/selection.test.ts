import { beforeAll, beforeEach, expect, it } from "vitest";
import { followSelection } from "./selection";

beforeAll(() => followSelection());
beforeEach(() => {
  document.body.innerHTML = `<form id="bulk"><b data-n></b><input type="checkbox" data-matching></form>
    <p data-n="bulk"></p>
    <table data-select="bulk"><thead><tr><th><input type="checkbox" class="checkbox" data-all></th></tr></thead>
    <tbody><tr><td><input type="checkbox" class="checkbox"></td></tr>
    <tr><td><input type="checkbox" class="checkbox"></td></tr></tbody></table>`;
});

const boxes = () => [...document.querySelectorAll<HTMLInputElement>("tbody .checkbox")];
const all = () => document.querySelector<HTMLInputElement>("[data-all]")!;

function tick(box: HTMLInputElement, checked: boolean): void {
  box.checked = checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

it("counts ticked rows wherever the number stands", () => {
  tick(boxes()[0]!, true);
  expect(document.querySelector("form [data-n]")?.textContent).toBe("1");
  expect(document.querySelector("p[data-n]")?.textContent).toBe("1");
  expect(all().indeterminate).toBe(true);
});

it("ticks and unticks the page at once, and forgets 'all that match' with the last row", () => {
  tick(all(), true);
  expect(boxes().every((box) => box.checked)).toBe(true);
  const matching = document.querySelector<HTMLInputElement>("[data-matching]")!;
  matching.checked = true;
  tick(all(), false);
  expect(boxes().some((box) => box.checked)).toBe(false);
  expect(matching.checked).toBe(false);
});
