"""What selectors and contrasts look at of collectors."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Func, Q, QuerySet
from django.db.models.functions import Left

from agents.models import Agent, AgentQuerySet
from agents.said import selected_value
from fleets.models import Target

_ZONE_LENGTH: Final = 255
"""As fleets.models.Target.zone."""


COMPONENTS: Final = "collector.components"
"""The trait that names a build: the first digits of the hash of its components. Builds of one name may differ."""
_DIGITS: Final = 12

Trait = tuple[str, str]
"""Key and value."""


def traits_of(uids: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """What each says of itself and people say of it: labels win, then identifying attributes (decision 18)."""
    said = Agent.objects.filter(pk__in=list(uids)).values_list(
        "pk", "components_id", "non_identifying", "identifying", "labels"
    )
    return {
        uid: _build(components)
        | {key: _text(value) for one in (other, own, labels) for key, value in one.items()}
        for uid, components, other, own, labels in said
    }


def _build(components: str | None) -> dict[str, str]:
    return {COMPONENTS: components[:_DIGITS]} if components else {}


def having(agents: AgentQuerySet, key: str, value: str) -> AgentQuerySet:
    """Those of these agents with this trait."""
    return agents.alias(trait=_trait(key)).filter(trait=value)


def counted(targets: QuerySet[Target], traits: Sequence[Trait]) -> Counter[Trait]:
    """How many of these targets' collectors have each of these traits: one query, none where there are no traits."""
    if not traits:
        return Counter()
    names = {key: f"trait_{n}" for n, key in enumerate(dict.fromkeys(key for key, _ in traits))}
    sums = {
        f"sum_{n}": Count("pk", filter=Q((names[key], value)))
        for n, (key, value) in enumerate(traits)
    }
    read = {name: _trait(key, "agent__") for key, name in names.items()}
    found = targets.order_by().alias(**read).aggregate(**sums)
    return Counter({trait: found[f"sum_{n}"] for n, trait in enumerate(traits)})


def _trait(key: str, agent: str = "") -> Func:
    """One of traits_of in the database. agent: the way there, such as `agent__`."""
    if key == COMPONENTS:
        return Left(f"{agent}components_id", _DIGITS)
    return selected_value(key, agent)


def chosen_traits(uids: Collection[UUID], keys: Collection[str]) -> dict[UUID, dict[str, str]]:
    """As traits_of, of these keys alone and without reading the others."""
    if not keys:
        return {}
    agents = Agent.objects.filter(pk__in=list(uids))
    values = agents.values_list("pk", *map(selected_value, keys))
    return {uid: those_said(keys, said) for uid, *said in values}


def those_said(keys: Iterable[str], values: Iterable[str | None]) -> dict[str, str]:
    """What is said of these keys; selected_value() is null for what is not."""
    return {key: value for key, value in zip(keys, values, strict=True) if value is not None}


def zone_in(traits: Mapping[str, str], key: str) -> str:
    """What a zone limit counts together, as targets keep it; "" for a collector without that attribute."""
    return traits.get(key, "")[:_ZONE_LENGTH]


def _text(value: Any) -> str:
    """As the database has it as text (AgentQuerySet.selected_by): true, not True."""
    return value if isinstance(value, str) else json.dumps(value)
