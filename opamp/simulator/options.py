"""PURE. The command's options as a plan."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, Final

from opamp.simulator import shapes
from opamp.simulator.behaviour import Behaviour, Quirk
from opamp.simulator.plan import Amount, Plan

_AMOUNT: Final = "N|SHARE"


def amount(text: str) -> Amount:
    """`50` is a number of agents; `0.02` and `2%` are shares of all. Raises ArgumentTypeError."""
    try:
        if text.endswith("%"):
            share = float(text[:-1]) / 100
        elif text.isdecimal():
            return Amount(count=int(text))
        else:
            share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentTypeError(
            f"{text} is neither a number of agents nor a share such as 0.02 or 2%"
        )
    return Amount(share=share)


def pair(text: str) -> tuple[str, str]:
    """`key=value`. Raises ArgumentTypeError."""
    key, sign, value = text.partition("=")
    if not key or not sign:
        raise ArgumentTypeError(f"{text} is not key=value")
    return key, value


def add_options(parser: ArgumentParser) -> None:
    """All options of a run."""
    parser.add_argument("--url", required=True, help="ws://host:port/v1/opamp")
    parser.add_argument(
        "--token", required=True, action="append", help="again for each further fleet"
    )
    parser.add_argument("--count", type=int, required=True, metavar="N", help="how many agents")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same agents")
    parser.add_argument("--duration", type=float, metavar="S", help="end after S seconds")
    parser.add_argument(
        "--ramp", type=float, default=500.0, help="new connections a second; 0: all at once"
    )
    parser.add_argument(
        "--backoff-max",
        type=float,
        default=30.0,
        metavar="S",
        help="the longest wait before another try to connect (default 30)",
    )
    parser.add_argument(
        "--http-share",
        type=amount,
        default=Amount(),
        metavar=_AMOUNT,
        help="so many POST a message each heartbeat to the same address by http (a gateway serves no POST)",
    )
    parser.add_argument("--name-prefix", default="host", help="of host.name")
    parser.add_argument("--attribute", type=pair, action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--log", metavar="FILE", help="everything that the agents say, as JSON lines"
    )
    parser.add_argument(
        "--cut", action="store_true", help="at the end cut the connections, without goodbyes"
    )
    _add_behaviour(parser.add_argument_group("what they do"))
    _add_quirks(parser.add_argument_group("what some of them do wrong"))


def plan_of(options: dict[str, Any]) -> Plan:
    """The plan. A marker alone means that all refuse what contains it."""
    failing: Amount = options["fail_share"] or Amount()
    if options["fail_share"] is None and options["fail_marker"]:
        failing = Amount(share=1.0)
    return Plan(
        url=options["url"],
        tokens=options["token"],
        count=options["count"],
        seed=options["seed"],
        ramp_per_s=options["ramp"],
        behaviour=_behaviour(options),
        failing=failing,
        ailing=options["unhealthy_share"],
        http=options["http_share"],
        quirks={quirk: options[_name(quirk)] for quirk in _QUIRKS},
        backoff_max_s=options["backoff_max"],
        storm_every_s=options["storm_every"],
        storm_size=options["storm_size"],
        trickle_s=options["byte_interval"],
        prefix=options["name_prefix"],
        attributes=dict(options["attribute"]),
    )


_QUIRKS: Final = tuple(quirk for quirk in Quirk if quirk is not Quirk.NONE)


def _name(quirk: Quirk) -> str:
    return quirk.value.replace("-", "_")


def _behaviour(options: dict[str, Any]) -> Behaviour:
    return Behaviour(
        heartbeat_s=options["heartbeat"],
        apply_delay_s=options["apply_delay"],
        fail_marker=options["fail_marker"],
        fail_error=options["fail_error"],
        local_config="" if options["no_local_config"] else shapes.LOCAL_CONFIG,
        whole_first_report=options["whole_first_report"],
    )


def _add_behaviour(parser: Any) -> None:
    parser.add_argument(
        "--heartbeat",
        type=float,
        default=30.0,
        metavar="S",
        help="one every S seconds until another interval is offered (default 30)",
    )
    parser.add_argument("--apply-delay", type=float, default=5.0, metavar="S", help="0: at once")
    parser.add_argument("--fail-share", type=amount, metavar=_AMOUNT, help="refuse what is offered")
    parser.add_argument(
        "--fail-marker", default="", metavar="TEXT", help="but only what contains TEXT"
    )
    parser.add_argument("--fail-error", default="", metavar="TEXT", help="what they say then")
    parser.add_argument("--unhealthy-share", type=amount, default=Amount(), metavar=_AMOUNT)
    parser.add_argument(
        "--no-local-config",
        action="store_true",
        help="run nothing until something is offered; without it each brings a configuration of its host, which adds"
        " to its fleet's version: it is in sync, with additions",
    )
    parser.add_argument(
        "--whole-first-report", action="store_true", help="8 kB at once instead of a start in steps"
    )


def _add_quirks(parser: Any) -> None:
    for quirk in _QUIRKS:
        parser.add_argument(f"--{quirk.value}", type=amount, default=Amount(), metavar=_AMOUNT)
    parser.add_argument(
        "--byte-interval", type=float, default=60.0, metavar="S", help="of byte-a-minute"
    )
    parser.add_argument(
        "--storm-every",
        type=float,
        default=0.0,
        metavar="S",
        help="cut connections again and again",
    )
    parser.add_argument("--storm-size", type=int, default=0, metavar="N", help="so many at once")
