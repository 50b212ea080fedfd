"""The overview: all fleets in one page; before there is one, the three steps to the first collector."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from agents.attention import MEANING
from agents.models import Agent, Status
from agents.views.rows import build_name
from configs.models import ConfigVersion
from fleets.models import Fleet
from fleets.quickdeploy.services import opamp_url
from fleets.views.address import address_of
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.guard import requires
from telflo.home.attention import Matters, matters
from telflo.home.counts import Numbers, VersionInUse, builds_in_use, read_numbers
from telflo.home.glance import fleets_at_a_glance, recent_activity
from telflo.home.underway import UnderWay, rollouts_under_way
from telflo.ui.bars import Segment, ledger_cells, segments_of
from telflo.ui.numbers import counted, grouped, percent
from telflo.ui.vocabulary import HEALTH

EXAMPLE = """\
receivers:
  otlp:
    protocols: {grpc: {endpoint: "127.0.0.1:4317"}}
  hostmetrics:  # old and new collectors know this name
    collection_interval: 30s
    scrapers: {cpu: {}, memory: {}, filesystem: {}}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 75}
exporters:
  debug:  # replace with your backend
service:
  pipelines:
    metrics: {receivers: [otlp, hostmetrics], processors: [memory_limiter], exporters: [debug]}
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [debug]}
"""
"""A first configuration: a collector that shows in its own log what it receives."""
_VERSIONS_SHOWN = 5
_BUILDS_SHOWN = 5


@requires(Action.VIEW)
def overview(request: HttpRequest) -> HttpResponse:
    """The first page."""
    if not Fleet.objects.active().exists() and not Agent.objects.exists():
        return render(request, "home/first_run.html", _first_run(request))
    return render(request, "home/overview.html", _context(request))


def _first_run(request: HttpRequest) -> dict[str, Any]:
    """What the page of the first steps needs."""
    version = ConfigVersion.objects.published().select_related("configuration").without_text()
    return {
        "version": version.order_by("-id").first(),
        "example": EXAMPLE,
        "start_url": reverse("configs:new"),
        "may_edit": may(request.user, Action.EDIT),
        "opamp_url": opamp_url(address_of(request)),
    }


def _context(request: HttpRequest) -> dict[str, Any]:
    numbers = read_numbers()
    todo = matters(clock.now())
    underway = rollouts_under_way()
    fleets, fleet_count = fleets_at_a_glance(numbers)
    url = reverse("agents:list")
    return {
        "headline": _headline(numbers),
        "subline": _subline(todo, underway, numbers),
        "numbers": numbers,
        "cells": ledger_cells(numbers.by_status, url=url, details=_details(numbers)),
        "segments": segments_of("status", numbers.by_status),
        "health": _health(numbers, url),
        "versions": _version_segments(numbers.versions, url),
        "builds": _builds(numbers, url),
        "underway": underway,
        "matters": todo,
        "attention": MEANING,
        "fleets": fleets,
        "fleet_count": fleet_count,
        "deploy_url": reverse("fleets:deploy", args=[fleets[0].slug])
        if fleet_count == 1
        else reverse("fleets:list"),
        "entries": recent_activity(),
        "may_enrol": may(request.user, Action.ENROL),
        "may_operate": may(request.user, Action.OPERATE),
    }


def _headline(numbers: Numbers) -> str:
    total = numbers.collectors
    if not total:
        return "No collectors yet"
    if numbers.in_sync == total:
        return (
            f"All {grouped(total)} collectors run what they should"
            if total > 1
            else "The one collector runs what it should"
        )
    verb = "runs what it should" if total == 1 else "run what they should"
    return f"{grouped(numbers.in_sync)} of {counted(total, 'collector')} {verb}"


def _subline(todo: Matters, underway: Sequence[UnderWay], numbers: Numbers) -> str:
    parts = [f"{counted(len(underway), 'rollout')} under way."] if underway else []
    if todo.items:
        parts.append(_needing(todo))
    elif not underway:
        parts.append("Nothing needs attention.")
    if gone := numbers.by_status.get(Status.DISCONNECTED, 0):
        parts.append(f"{counted(gone, 'collector is', 'collectors are')} disconnected.")
    return " ".join(parts)


def _needing(todo: Matters) -> str:
    """Collectors by their number, and matters that are about others."""
    collectors = counted(todo.collectors, "collector") if todo.collectors else ""
    others = counted(todo.others, "other thing" if collectors else "thing") if todo.others else ""
    verb = "needs" if todo.collectors + todo.others == 1 else "need"
    return f"{' and '.join(filter(None, (collectors, others)))} {verb} attention."


def _details(numbers: Numbers) -> dict[str, str]:
    """The small line under each number."""
    total = numbers.collectors
    return {
        word: percent(count, total)
        for word, count in numbers.by_status.items()
        if count and word in Status.values
    }


def _health(numbers: Numbers, url: str) -> list[Segment]:
    return [
        Segment(lamp.word, numbers.by_health.get(word, 0), lamp.tone, f"{url}?health={word}")
        for word, lamp in HEALTH.items()
    ]


def _version_segments(versions: Sequence[VersionInUse], url: str) -> list[Segment]:
    """The versions that most collectors run, strongest first; the rest as one."""
    shown = [
        Segment(str(version), version.collectors, f"a{n}", f"{url}?version={version.id}")
        for n, version in enumerate(versions[:_VERSIONS_SHOWN], start=1)
    ]
    rest = versions[_VERSIONS_SHOWN:]
    if rest:
        count = sum(version.collectors for version in rest)
        shown.append(Segment(counted(len(rest), "other version"), count, "none"))
    return shown


def _builds(numbers: Numbers, url: str) -> list[dict[str, Any]]:
    """The collector builds with the length of their bars."""
    rows = builds_in_use(_BUILDS_SHOWN)
    longest = max((count for _, _, count in rows), default=0)
    return [
        {
            "name": build_name(name, version),
            "count": count,
            "width": max(round(100 * count / longest, 1), 2),
            "tone": f"a{n}",
            "url": f"{url}?collector_version={version}",
        }
        for n, (name, version, count) in enumerate(rows, start=1)
    ]
