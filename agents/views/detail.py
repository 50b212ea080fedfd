"""One collector: its tabs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agents.identities import kin_of
from agents.models import AgentEvent
from agents.views.attempts import attempt_rows, failure_of, quarantined_rows
from agents.views.components import components_of
from agents.views.configuration import (
    compare,
    effective_of,
    intended_of,
    record_raw_reading,
    shown_file,
)
from agents.views.connection import connection_panel, revocation_of
from agents.views.drift import drift_of
from agents.views.events import hashes_in, lines_of
from agents.views.health import health_panel
from agents.views.messages import shown_message
from agents.views.restarts import restart_under_way
from agents.views.rows import redacted
from agents.views.subject import Subject, subject_of
from agents.views.versions import refs_by_hash
from agents.wording import CAPABILITY_NAMES
from fleets.models import Attempt
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.guard import requires
from telflo.ui.numbers import counted

RECENT_EVENTS = 8
EVENTS_A_LINE = 4
"""So many events may stand in one line of the timeline (agents/timeline.py), as a rule."""
EVENTS_A_PAGE = 50
ATTEMPTS_A_PAGE = 50


@requires(Action.VIEW)
def overview(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Status and why, health, facts, attributes, labels, capabilities, membership."""
    subject = subject_of(request, uid)
    agent = subject.agent
    events = list(AgentEvent.objects.filter(agent=agent)[: RECENT_EVENTS * EVENTS_A_LINE])
    quarantined = quarantined_rows(agent)
    origin, copies = kin_of(agent.pk)
    context = {
        "health": health_panel(agent.status, name=agent.display_name, now=clock.now()),
        "lines": lines_of(events, refs_by_hash(hashes_in(events)))[:RECENT_EVENTS],
        "identifying": list(redacted(agent.identifying)),
        "non_identifying": list(redacted(agent.non_identifying)),
        "labels": list(redacted(agent.labels)),
        "capabilities": [
            (name, bool(agent.capabilities & bit)) for bit, name in CAPABILITY_NAMES.items()
        ],
        "quarantined": quarantined,
        "failure": failure_of(agent.status, quarantined),
        "can_retry": subject.may_operate
        and any(row.hash == agent.status.desired_hash for row in quarantined),
        "restart": restart_under_way(agent, clock.now()),
        "origin": origin,
        "copies": copies,
        "revocation": revocation_of(subject.membership),
        "may_enrol": may(request.user, Action.ENROL),
        "ways": connection_panel(agent, subject.membership),
    }
    return _page(request, subject, "overview", context)


@requires(Action.VIEW)
def messages(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The custom messages that it sent."""
    subject = subject_of(request, uid)
    shown = [shown_message(message) for message in subject.agent.messages.all()]
    return _page(request, subject, "messages", {"messages_shown": shown})


@requires(Action.VIEW)
def timeline(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Everything that happened to it, newest first."""
    subject = subject_of(request, uid)
    events = AgentEvent.objects.filter(agent=subject.agent)
    before = _uuid(request.GET.get("before", ""))
    if before:
        events = events.filter(id__lt=before)
    page = list(events[: EVENTS_A_PAGE + 1])
    shown = page[:EVENTS_A_PAGE]
    context = {
        "lines": lines_of(shown, refs_by_hash(hashes_in(shown))),
        "shown": counted(len(shown), "event"),
        "earlier": f"?before={shown[-1].id}" if len(page) > EVENTS_A_PAGE else "",
        "is_first": before is None,
    }
    return _page(request, subject, "timeline", context)


@requires(Action.VIEW)
def attempts(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every offer and what it drew, and what is not offered any more."""
    subject = subject_of(request, uid)
    rows = Attempt.objects.filter(agent=subject.agent).select_related("rollout")
    before = _uuid(request.GET.get("before", ""))
    if before:
        rows = rows.filter(id__lt=before)
    page = list(rows[: ATTEMPTS_A_PAGE + 1])
    shown = page[:ATTEMPTS_A_PAGE]
    context = {
        "attempts": attempt_rows(shown),
        "shown": counted(len(shown), "attempt"),
        "earlier": f"?before={shown[-1].id}" if len(page) > ATTEMPTS_A_PAGE else "",
        "is_first": before is None,
        "quarantined": quarantined_rows(subject.agent),
    }
    return _page(request, subject, "attempts", context)


@requires(Action.VIEW)
def components(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What its build is able to do, beside what it runs, or is to run while it tells nothing."""
    subject = subject_of(request, uid)
    context = {"joined": components_of(subject.agent, subject.membership)}
    return _page(request, subject, "components", context)


@requires(Action.VIEW, write=Action.READ_RAW, methods=("GET", "POST"))
def configuration(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Intended against effective, redacted. POST shows the effective text as it is and says so in the activity log."""
    subject = subject_of(request, uid)
    is_raw = request.method == "POST"
    effective = effective_of(subject.agent)
    if is_raw and effective:
        record_raw_reading(subject.agent, actor_of(request))
    intended = intended_of(subject.membership)
    drift = drift_of(subject.membership, effective)
    context = {
        "drift": drift,
        "can_adopt": drift is not None
        and bool(drift.drifted or drift.additions)
        and may(request.user, Action.EDIT),
        "can_found": subject.versions.desired is None
        and bool(effective)
        and may(request.user, Action.EDIT),
        "is_raw": is_raw,
        "files": [shown_file(file, raw=is_raw) for file in effective],
        "intended": intended,
        "comparison": compare(intended, effective) if not is_raw else None,
        "effective_at": subject.agent.status.effective_config_at,
    }
    response = _page(request, subject, "configuration", context)
    if is_raw:
        response["Cache-Control"] = "no-store"
    return response


def _page(
    request: HttpRequest, subject: Subject, tab: str, context: dict[str, Any]
) -> HttpResponse:
    shared = {**subject.context(), "tabs": {tab: True}, **_tab_counts(subject)}
    return render(request, f"agents/{tab}.html", {**shared, **context})


def _tab_counts(subject: Subject) -> dict[str, int]:
    """The numbers on the tabs."""
    return {
        "event_count": AgentEvent.objects.filter(agent=subject.agent).count(),
        "attempt_count": Attempt.objects.filter(agent=subject.agent).count(),
        "message_count": subject.agent.messages.count(),
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
