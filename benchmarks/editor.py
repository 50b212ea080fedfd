"""What a key costs the page of the editor: `make bench-editor`.

A configuration of 2,000 lines is opened in Chromium, and keys are pressed at its top, in its middle and at its end. For
each key: how much CPU time the page's main thread takes, layout and what prepares painting included, once until the
next frame and once with all that follows when typing rests. A plain textarea with the same text stands beside it.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, sync_playwright

from benchmarks.validating import configuration
from tests.browser.launching import launch_options, sign_in
from tests.e2e.harness.server import Server

BUDGET_MS: Final = 16
RESULTS: Final = Path(__file__).parent / "results"
PAGE: Final = "/configurations/new/"
_TEXT: Final = "send_batch_size: 8192"
_RESTED_MS: Final = 1_500
_FRAME: Final = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU time of the main thread for one key."""

    place: str
    keys: int
    median_ms: float
    p95_ms: float
    worst_ms: float


def main() -> None:
    """Open, type, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000)
    parser.add_argument(
        "--profile", action="store_true", help="write what the keys spend their time on"
    )
    options = parser.parse_args()
    text = configuration(options.lines)
    with tempfile.TemporaryDirectory(prefix="telflo-bench-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            costs, profile = _measured(server.base_url, text, profile=options.profile)
        finally:
            server.stop()
    print("\n".join(_table(costs)))
    RESULTS.mkdir(exist_ok=True)
    said = {"lines": text.count("\n"), "costs": [*map(asdict, costs)]}
    (RESULTS / "editor.json").write_text(json.dumps(said, indent=1) + "\n")
    if profile:
        print("\n".join(profile))


def _measured(base_url: str, text: str, *, profile: bool) -> tuple[list[Cost], list[str]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        context = browser.new_context(base_url=base_url, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        sign_in(page)
        page.goto(PAGE)
        page.locator("config-editor .cm-content").wait_for()
        page.evaluate(_PUT, text)
        cdp = context.new_cdp_session(page)
        cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        typing = Typing(page, cdp)
        costs = list(typing.costs())
        spent = _profile(typing, cdp) if profile else []
        costs.append(_beside(page, typing, text))
        browser.close()
        return costs, spent


_PUT: Final = """(text) => {
  const area = document.querySelector("config-editor textarea");
  area.value = text;
  area.dispatchEvent(new Event("change"));
}"""


@dataclass(frozen=True, slots=True)
class Typing:
    """Presses keys and looks how long the main thread worked."""

    page: Page
    cdp: CDPSession

    def costs(self) -> Iterator[Cost]:
        """At each place; then once more with all that follows a key."""
        for place, go in self._places():
            go()
            yield self._cost(place, _TEXT, rest_ms=0)
        yield self._cost("end, and all that follows", _TEXT[:8], rest_ms=_RESTED_MS)

    def _places(self) -> Iterator[tuple[str, Callable[[], None]]]:
        press = self.page.keyboard.press
        content = self.page.locator("config-editor .cm-content")

        def top() -> None:
            content.click()
            press("Control+Home")
            press("Control+Enter")
            press("Home")

        def middle() -> None:
            press("Control+Home")
            for _ in range(20):
                press("PageDown")
            press("End")
            press("Enter")

        def end() -> None:
            press("Control+End")
            press("Enter")

        yield "first keys after opening", top  # the browser has not compiled the script yet
        yield "top", top
        yield "middle", middle
        yield "end", end

    def _cost(self, place: str, text: str, *, rest_ms: int) -> Cost:
        return summed(place, [self.key(one, rest_ms) for one in text])

    def key(self, character: str, rest_ms: int) -> float:
        """Milliseconds of work for one character."""
        self.page.wait_for_timeout(60)
        before = self._busy_ms()
        self.page.keyboard.press("Space" if character == " " else character)
        self.page.evaluate(_FRAME)
        if rest_ms:
            self.page.wait_for_timeout(rest_ms)
        return self._busy_ms() - before

    def _busy_ms(self) -> float:
        metrics: Any = self.cdp.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration")) * 1_000


def summed(place: str, costs: Sequence[float]) -> Cost:
    """The costs of keys in one line."""
    ordered = sorted(costs)
    return Cost(
        place, len(ordered), median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1]
    )


def _beside(page: Page, typing: Typing, text: str) -> Cost:
    """The same in a plain textarea."""
    page.evaluate(
        """(text) => {
          const area = document.createElement("textarea");
          area.rows = 30;
          document.querySelector("main").replaceChildren(area);
          area.value = text;
          area.focus();
        }""",
        text,
    )
    return summed("plain textarea, end", [typing.key(one, 0) for one in _TEXT])


def _profile(typing: Typing, cdp: CDPSession) -> list[str]:
    """What keys at the end spend their time on, by function."""
    cdp.send("Profiler.enable")
    cdp.send("Profiler.setSamplingInterval", {"interval": 100})
    cdp.send("Profiler.start")
    for one in _TEXT:
        typing.key(one, 0)
    found: Any = cdp.send("Profiler.stop")["profile"]
    names = {one["id"]: one["callFrame"] for one in found["nodes"]}
    spent: dict[str, float] = {}
    for node, micros in zip(found["samples"], found["timeDeltas"], strict=True):
        frame = names[node]
        where = f"{frame['functionName'] or '(anonymous)'} {frame['url'].rsplit('/', 1)[-1]}:{frame['lineNumber']}"
        spent[where] = spent.get(where, 0) + micros / 1_000
    worst = sorted(spent.items(), key=lambda one: -one[1])[:40]
    return [f"{ms / len(_TEXT):8.3f} ms a key  {where}" for where, ms in worst]


def _table(costs: Sequence[Cost]) -> Iterator[str]:
    yield f"{'place':28}{'keys':>6}{'median':>9}{'95 %':>9}{'worst':>9}   ms of CPU, budget {BUDGET_MS}"
    for one in costs:
        yield f"{one.place:28}{one.keys:6}{one.median_ms:9.1f}{one.p95_ms:9.1f}{one.worst_ms:9.1f}"


if __name__ == "__main__":
    main()
