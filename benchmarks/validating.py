"""What parsing and validating a configuration costs: `make bench-validate`.

CPU time of this process, the median of several runs, with the newest catalog; with --profile what takes it. Hostile
texts are measured too: they end by a limit, and this shows how soon.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from configs import catalog
from configs.catalog.shelf import SHIPPED, SUFFIX
from configs.catalog.writing import from_bytes
from configs.collector.findings import Report
from configs.collector.limits import Limits
from configs.collector.validate import validate

TARGETS_MS: Final = {500: 30, 5_000: 300}
_GROUP: Final = """\
  otlp/{n}:
    protocols:
      grpc:
        endpoint: localhost:{grpc}
        max_recv_msg_size_mib: 16
        tls:
          cert_file: /etc/otel/{n}.pem
          key_file: /etc/otel/{n}.key
      http:
        endpoint: localhost:{http} # for browsers
"""
_EXPORTER: Final = """\
  otlp_grpc/{n}:
    endpoint: gateway-{n}.example.com:4317
    headers:
      authorization: ${{env:TOKEN_{n}}}
    retry_on_failure:
      initial_interval: 5s
    sending_queue:
      queue_size: 1000
"""
_PIPELINE: Final = """\
    traces/{n}:
      receivers: [otlp/{n}]
      processors: [memory_limiter, batch]
      exporters:
        - otlp_grpc/{n}
        - spanmetrics
"""
_LINES_OF_GROUP: Final = 24


def configuration(lines: int) -> str:
    """A valid configuration of about so many lines: receivers, exporters, pipelines, a connector."""
    groups = range(lines // _LINES_OF_GROUP)
    ports = [{"n": n, "grpc": 20_000 + 2 * n, "http": 20_001 + 2 * n} for n in groups]
    parts = [
        "receivers:\n",
        *(_GROUP.format(**one) for one in ports),
        "processors:\n  memory_limiter: {check_interval: 1s, limit_mib: 400}\n  batch: {}\n",
        "connectors:\n  spanmetrics: {}\n",
        "exporters:\n  debug: {}\n",
        *(_EXPORTER.format(n=n) for n in groups),
        "service:\n  pipelines:\n",
        "    metrics: {receivers: [spanmetrics], exporters: [debug]}\n",
        *(_PIPELINE.format(n=n) for n in groups),
    ]
    return "".join(parts)


def hostile() -> Iterator[tuple[str, str]]:
    """Texts made to take long, as large as one may be."""
    many = range(20_000)
    yield "keys that nobody knows", "".join(f"k{n}: {{}}\n" for n in range(60_000))
    yield (
        "many pipelines on one connector",
        (
            "receivers: {a: }\nexporters: {b: }\nconnectors: {c: }\nservice:\n  pipelines:\n"
            + "".join(
                f"    logs/a{n}: {{receivers: [a, c], exporters: [c]}}\n" for n in range(9_000)
            )
        ),
    )
    yield "paths in keys", "receivers:\n" + "".join(f"  a::b{n}::c: 1\n" for n in many)
    yield (
        "aliases",
        "receivers:\n  a: &a [" + "x," * 190 + "]\n" + "".join(f"  b{n}: *a\n" for n in range(950)),
    )
    yield "references in references", "receivers: {a: '" + "${a" * 50_000 + "}" * 50_000 + "'}"
    yield "unclosed references", "receivers: {a: '" + "${a" * 100_000 + "'}"
    yield "dollar signs", "receivers: {a: '" + "$" * 1_000_000 + "{'}"
    yield (
        "ports",
        "receivers:\n"
        + "".join(
            f"  otlp/{n}: {{protocols: {{grpc: {{endpoint: 'h{n}:1'}}}}}}\n" for n in range(9_000)
        ),
    )
    yield (
        "members that are not defined",
        "service: {pipelines: {logs: {receivers: ["
        + ",".join(f"r{n}" for n in range(90_000))
        + "]}}}",
    )


def checked(text: str) -> Report:
    """What `telflo validate` finds."""
    return validate([("a.yaml", text)], catalog=catalog.nearest())


def cpu_ms(call: Callable[[], object], runs: int) -> float:
    """The median of the CPU time of several runs, in milliseconds."""
    taken = []
    for _ in range(runs):
        begin = time.process_time()
        call()
        taken.append((time.process_time() - begin) * 1e3)
    return median(taken)


def main() -> None:
    """Measure and print; a target that is missed is said."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--profile", action="store_true", help="what takes the time of 5,000 lines"
    )
    options.add_argument("--runs", type=int, default=9)
    chosen = options.parse_args()
    newest = catalog.versions()[0]
    data = (SHIPPED / f"{newest}{SUFFIX}").read_bytes()
    took = cpu_ms(lambda: from_bytes(data), chosen.runs)
    print(f"{took:19.1f} ms CPU to read the catalog of {newest}, {len(data) / 1024:,.0f} KiB")
    for lines, target in TARGETS_MS.items():
        text = configuration(lines)
        found = checked(text)
        took = cpu_ms(lambda text=text: checked(text), chosen.runs)  # type: ignore[misc]
        said = "met" if took <= target else f"missed: {took / target:.1f} times the target"
        print(
            f"{len(text.splitlines()):6,} lines {took:8.1f} ms CPU (target {target}: {said}), "
            f"{len(found.findings)} findings, {len(text) / 1024:,.0f} KiB"
        )
    for name, text in hostile():
        assert len(text) <= Limits().bytes
        took = cpu_ms(lambda text=text: checked(text), 1)  # type: ignore[misc]
        print(f"  {took:8.0f} ms CPU  {len(text) / 1024:7,.0f} KiB  {name}")
    if chosen.profile:
        _profile()


def _profile() -> None:
    text = configuration(5_000)
    profile = cProfile.Profile()
    profile.runcall(checked, text)
    pstats.Stats(profile).sort_stats("cumulative").print_stats(40)


if __name__ == "__main__":
    main()
