import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refresher, type RefreshOptions } from "./refresh";

const PAGE = `<main id="main">
  <section id="list" data-live="agents">
    <input id="q" value=""><details id="more"><summary>More</summary></details>
    <table><tbody><tr id="r1"><td>edge-1</td><td>In sync <time>5 s</time></td></tr></tbody></table>
  </section></main>`;

function setUp(answer: string, busy = false) {
  const calls: Array<{ url: string; ids: string[] }> = [];
  const options: RefreshOptions = {
    fetchPage: (url, ids) => {
      calls.push({ url, ids });
      return Promise.resolve(new DOMParser().parseFromString(answer, "text/html"));
    },
    isBusy: () => busy,
    afterMorph: () => undefined,
  };
  return { refresher: new Refresher(options), calls, options };
}

describe("the refresher", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    document.body.innerHTML = PAGE;
  });
  afterEach(() => void vi.useRealTimers());

  it("changes an element in place and lets changed rows glow", async () => {
    const { refresher } = setUp(PAGE.replace("In sync", "Failed"));
    const row = document.getElementById("r1");
    await refresher.refreshNow(["list"]);
    expect(document.getElementById("r1")).toBe(row);
    expect(row?.textContent).toContain("Failed");
    expect(row?.classList.contains("fresh")).toBe(true);
  });

  it("does not glow when only an age changed", async () => {
    const { refresher } = setUp(PAGE.replace("5 s", "6 s"));
    await refresher.refreshNow(["list"]);
    expect(document.querySelector(".fresh")).toBeNull();
  });

  it("keeps typed text, ticks and open details", async () => {
    const { refresher } = setUp(PAGE);
    const field = document.querySelector<HTMLInputElement>("#q");
    const details = document.querySelector<HTMLDetailsElement>("#more");
    if (!field || !details) throw new Error("the page lacks its parts");
    field.value = "edge";
    details.open = true;
    await refresher.refreshNow(["list"]);
    expect(field.value).toBe("edge");
    expect(details.open).toBe(true);
  });

  it("asks once for a burst of hints, and at most once a second", async () => {
    const { refresher, calls } = setUp(PAGE);
    for (let n = 0; n < 5; n += 1) refresher.request(["list"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toHaveLength(1);
    refresher.request(["list"]);
    await vi.advanceTimersByTimeAsync(500);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(calls).toHaveLength(2);
  });

  it("waits while a person is busy with the element", async () => {
    const { refresher, calls, options } = setUp(PAGE.replace("In sync", "Failed"), true);
    refresher.request(["list"]);
    await vi.advanceTimersByTimeAsync(1500);
    expect(calls).toHaveLength(0);
    options.isBusy = () => false;
    await vi.advanceTimersByTimeAsync(1500);
    expect(document.getElementById("r1")?.textContent).toContain("Failed");
  });

  it("takes the whole content when the element is gone from the answer", async () => {
    const { refresher } = setUp('<main id="main"><h1>No collectors yet</h1></main>');
    await refresher.refreshNow(["list"]);
    expect(document.querySelector("h1")?.textContent).toBe("No collectors yet");
    expect(document.getElementById("list")).toBeNull();
  });
});
