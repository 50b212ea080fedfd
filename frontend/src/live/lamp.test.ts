import { expect, it } from "vitest";
import { LiveLamp, lampText } from "./lamp";

const AT = new Date(2026, 10, 22, 14, 38, 0).getTime();

it("counts down to the next attempt", () => {
  const lost = { kind: "lost", dataFrom: AT, retryAt: AT + 8000 } as const;
  expect(lampText(lost, AT)).toEqual({
    state: "lost",
    text: "Not live, data from 14:38",
    also: ", retry in 8 s",
  });
  expect(lampText(lost, AT + 9000).also).toBe(", trying");
});

it("exchanges its look only when the kind of state changes", () => {
  customElements.define("live-lamp", LiveLamp);
  document.body.innerHTML = `<live-lamp><template data-look="live"><b data-text></b></template>
    <template data-look="wait"><i data-text></i></template></live-lamp>`;
  const lamp = document.querySelector("live-lamp") as LiveLamp;
  lamp.show({ kind: "connecting" });
  const first = lamp.querySelector("i");
  lamp.show({ kind: "catching-up" });
  expect(lamp.querySelector("i")).toBe(first);
  expect(first?.textContent).toBe("Catching up");
  lamp.show({ kind: "live" });
  expect(lamp.querySelector("i")).toBeNull();
  expect(lamp.querySelector("b")?.textContent).toBe("Live");
});
