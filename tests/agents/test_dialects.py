"""What is written as rows comes back as it was, whatever is in it, on each database."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentEvent, AgentStatus, EffectiveConfig
from agents.store.dialects import insert_rows, update_rows
from telflo.base.ids import new_id

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 4, 5, 6, 7, 89_012, tzinfo=UTC)
TEXTS = (
    "",
    "NULL",
    '"',
    "\\",
    '\\"',
    "{a,b}",
    "a, b",
    "'; DROP TABLE agents_agent; --",
    " spaces ",
    "line\nbreak\ttab\r",
    "%s %(x)s",
    "Ünïcode ☃ 🦄",
    "$1 {} \\N",
)


def make_agents() -> list[Agent]:
    uids = [new_id() for _ in TEXTS]
    insert_rows(
        Agent,
        columns=("instance_uid", "display_name", "identifying"),
        rows=[
            (uid, text, {text: [text, None, 1.5]}) for uid, text in zip(uids, TEXTS, strict=True)
        ],
        others=Agent(first_seen_at=AT),
    )
    found = Agent.objects.in_bulk(uids)
    return [found[uid] for uid in uids]


def test_texts_and_json_come_back_as_they_were() -> None:
    agents = make_agents()
    assert [agent.display_name for agent in agents] == list(TEXTS)
    assert [agent.identifying for agent in agents] == [{text: [text, None, 1.5]} for text in TEXTS]


def test_columns_that_are_not_named_have_the_values_of_the_others() -> None:
    agent = make_agents()[0]
    assert (agent.first_seen_at, agent.capabilities, agent.labels) == (AT, 0, {})


def test_updates_carry_nothing_numbers_truth_and_times() -> None:
    agents = make_agents()
    insert_rows(
        AgentStatus,
        columns=("agent_id",),
        rows=[(agent.pk,) for agent in agents],
        others=AgentStatus(status_since=AT),
    )
    wanted = [
        (agent.pk, number % 2 == 0, None if number % 3 else number, AT, agent.display_name)
        for number, agent in enumerate(agents)
    ]
    columns = ("connected", "sequence_num", "last_seen_at", "last_error")
    matched = update_rows(AgentStatus, match=("agent_id",), columns=columns, rows=wanted)
    stored = AgentStatus.objects.values_list("agent_id", *columns)
    assert matched == len(agents)
    assert set(stored) == set(wanted)


@pytest.mark.parametrize("reports", [(b"", b"\x00\xff\\'", None), (None, None, None)])
def test_bytes_and_none_of_them_come_back_as_they_were(reports: tuple[bytes | None, ...]) -> None:
    uids = [agent.pk for agent in make_agents()[: len(reports)]]
    columns = ("agent_id", "health_report")
    AgentStatus.objects.bulk_create(AgentStatus(agent_id=uid, status_since=AT) for uid in uids)
    rows = list(zip(uids, reports, strict=True))
    assert update_rows(AgentStatus, match=("agent_id",), columns=columns[1:], rows=rows) == len(
        rows
    )
    assert set(AgentStatus.objects.values_list(*columns)) == set(rows)


def test_encrypted_texts_can_be_read_again_and_known_rows_are_left_alone() -> None:
    columns = ("sha256", "files", "size", "created_at")
    rows = [(f"{number:064}", text, number, AT) for number, text in enumerate(TEXTS)]
    insert_rows(EffectiveConfig, columns=columns, rows=rows, ignore_conflicts=True)
    insert_rows(
        EffectiveConfig, columns=columns, rows=[(rows[0][0], "other", 9, AT)], ignore_conflicts=True
    )
    stored = EffectiveConfig.objects.order_by("sha256").values_list("files", flat=True)
    assert list(stored) == list(TEXTS)


def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_rows(AgentEvent, columns=("id", "agent_id", "at", "kind", "data"), rows=[])
    assert not queries.captured_queries
