"""What selectors and contrasts look at of collectors."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from agents.models import Agent

_ZONE_LENGTH: Final = 255
"""As fleets.models.Target.zone."""


def traits_of(uids: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """What each says of itself and people say of it: labels win, then identifying attributes (decision 18)."""
    said = Agent.objects.filter(pk__in=list(uids)).values_list(
        "pk", "non_identifying", "identifying", "labels"
    )
    return {
        uid: {key: _text(value) for one in (other, own, labels) for key, value in one.items()}
        for uid, other, own, labels in said
    }


def zone_in(traits: Mapping[str, str], key: str) -> str:
    """What a zone limit counts together, as targets keep it; "" for a collector without that attribute."""
    return traits.get(key, "")[:_ZONE_LENGTH]


def _text(value: Any) -> str:
    """As the database has it as text (AgentQuerySet.selected_by): true, not True."""
    return value if isinstance(value, str) else json.dumps(value)
