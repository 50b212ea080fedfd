"""What selectors and contrasts look at of collectors."""

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

from agents.models import Agent


def traits_of(uids: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """What each says of itself and people say of it: labels win, then identifying attributes (decision 18)."""
    said = Agent.objects.filter(pk__in=list(uids)).values_list(
        "pk", "non_identifying", "identifying", "labels"
    )
    return {
        uid: {key: _text(value) for one in (other, own, labels) for key, value in one.items()}
        for uid, other, own, labels in said
    }


def _text(value: Any) -> str:
    """As the database has it as text (AgentQuerySet.selected_by): true, not True."""
    return value if isinstance(value, str) else json.dumps(value)
