"""What a timeline tells of connection settings: most supervisors do not report back, so what was sent is all that is known."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from agents.models import AgentEvent
from agents.snapshot import AgentSnapshot, Capability
from agents.views.events import lines_of
from fleets.connection import NewDestination, update_connection
from fleets.connection_offer import Signal
from fleets.models import Fleet, Token, TokenKind
from telflo.base.hints import RecordingPort
from tests.factories import CAPABILITIES, TESTER, enrol, make_fleet, make_token
from tests.fleets.credentials import claim, give_back

pytestmark = pytest.mark.django_db

ABLE = int(
    CAPABILITIES
    | Capability.REPORTS_HEARTBEAT
    | Capability.REPORTS_OWN_METRICS
    | Capability.REPORTS_OWN_LOGS
)
METRICS = NewDestination("https://otlp.example.com/v1/metrics", {"x-api-key": "s3cret"})


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


def told(agent: AgentSnapshot) -> list[tuple[str, str]]:
    """What its timeline says of settings, oldest first."""
    events = AgentEvent.objects.filter(agent=agent.instance_uid, kind__startswith="settings_")
    return [(line.what, line.why) for line in lines_of(events.order_by("id"), {})]


def test_what_was_sent_is_told_once_without_secrets(fleet: Fleet) -> None:
    agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
    update_connection(
        fleet=fleet, heartbeat_s=60, telemetry={Signal.METRICS: METRICS}, actor=TESTER
    )
    offer = claim(agent)
    assert offer is not None
    assert claim(agent) is None
    assert told(agent) == [
        ("Connection settings sent", "heartbeat every 60 s, own metrics, no own logs")
    ]
    [event] = AgentEvent.objects.filter(kind="settings_sent")
    assert event.data == {
        "hash": offer.hash,
        "heartbeat_s": 60,
        "telemetry": ["metrics"],
        "switched_off": ["logs"],
    }


@pytest.mark.usefixtures("address")
def test_a_credential_is_told_by_its_prefix(fleet: Fleet) -> None:
    able = ABLE | int(Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS)
    agent = enrol(token=make_token(fleet=fleet), capabilities=able)
    update_connection(fleet=fleet, own_credentials=True, actor=TESTER)
    offer = claim(agent)
    assert offer is not None
    prefix = Token.objects.get(kind=TokenKind.AGENT).prefix
    assert told(agent) == [
        ("Connection settings sent", f"heartbeat every 30 s, the credential {prefix}…")
    ]
    [event] = AgentEvent.objects.filter(kind="settings_sent")
    assert offer.secret not in str(event.data)


def test_what_did_not_go_out_is_told_too(fleet: Fleet) -> None:
    agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
    update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
    claim(agent)
    give_back(agent)
    claim(agent)
    sent, lost = "Connection settings sent", "Connection settings did not arrive"
    assert [what for what, _ in told(agent)] == [sent, lost, sent]


def test_open_pages_hear_of_it(
    fleet: Fleet,
    hints: RecordingPort,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]],
) -> None:
    agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
    update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
    hints.sent.clear()
    with django_capture_on_commit_callbacks(execute=True):
        claim(agent)
    topics = {one for _, message in hints.sent for one in message.get("topics", ())}
    assert {f"agent:{agent.instance_uid}", f"fleet:{fleet.pk}"} <= topics
