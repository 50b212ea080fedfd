"""Who was moved by an offer before there was a column for it: filled with the token before that."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from fleets.models import Membership
from telflo.base.ids import new_id

BEFORE, AFTER = "0010_stages_skipped_and_stopped", "0012_fill_moved_from"

pytestmark = pytest.mark.django_db(transaction=True)


def go_to(name: str) -> Any:
    """Migrate `fleets` there; the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("fleets", name)])
    return executor.loader.project_state([("fleets", name)]).apps


@pytest.fixture
def before() -> Iterator[Any]:
    yield go_to(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


class Past:
    """Rows as an earlier version left them."""

    def __init__(self, apps: Any) -> None:
        self._apps = apps
        self._now = timezone.now()
        self.fleet = self._make("fleets.Fleet", name="edge", slug="edge", updated_at=self._now)

    def token(self, kind: str, parent: Any = None) -> Any:
        """One that replaces `parent`, or was offered to who came by it."""
        secret = f"{new_id().hex:0>64}"
        return self._make(
            "fleets.Token", fleet=self.fleet, kind=kind, parent=parent, secret_hash=secret
        )

    def member(self, token: Any, *, offered: Any = None) -> UUID:
        """One that uses the token, and was offered another or this."""
        agent = self._make("agents.Agent", instance_uid=new_id(), first_seen_at=self._now)
        if offered:
            self._make("fleets.AgentConnection", agent_id=agent.pk, credential=offered)
        self._make(
            "fleets.Membership",
            agent_id=agent.pk,
            fleet=self.fleet,
            token=token,
            enrolled_at=self._now,
        )
        uid: UUID = agent.pk
        return uid

    def _make(self, label: str, /, **values: Any) -> Any:
        model = self._apps.get_model(label)
        if any(field.name == "created_at" for field in model._meta.fields):
            values["created_at"] = self._now
        return model.objects.create(**values)


def test_members_that_use_what_they_were_offered_came_by_the_token_before(before: Any) -> None:
    past = Past(before)
    first = past.token("enrolment")
    second = past.token("enrolment", first)
    expected = {
        past.member(first): None,
        past.member(first, offered=second): None,
        past.member(second): None,
        past.member(second, offered=second): first.pk,
        past.member(past.token("agent", first)): first.pk,
    }
    go_to(AFTER)
    assert dict(Membership.objects.values_list("agent_id", "moved_from_id")) == expected
