"""Who an agent is: its description, capabilities and components, written when they change."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from agents.models import Agent
from agents.naming import attribute, display_name
from agents.snapshot import UNSET, AgentPatch, Components, Description
from agents.store.dialects import update_rows
from agents.store.loaded import AgentRow, StatusRow

_ABILITIES = ("capabilities", "custom_capabilities", "components_id")
_DESCRIBED = (
    "identifying",
    "non_identifying",
    "display_name",
    "collector_name",
    "collector_version",
    "host_name",
    "os_type",
)


def update(
    patches: Sequence[AgentPatch], rows: Mapping[UUID, StatusRow], trees: AbstractSet[str]
) -> None:
    """Write what changed of the agents themselves: at most two statements.

    trees: the component hashes whose tree is stored. The rows' agents are brought up to date in memory too.
    """
    able, described = [], []
    for patch in patches:
        agent = rows[patch.instance_uid].agent
        has_changed = _put_abilities(agent, patch, trees)
        known = (agent.instance_uid, *_abilities(agent))
        if isinstance(patch.description, Description):
            described.append((*known, *_described(agent, patch.description)))
        elif has_changed:
            able.append(known)
    _write(able, _ABILITIES)
    _write(described, (*_ABILITIES, *_DESCRIBED))


def _put_abilities(agent: AgentRow, patch: AgentPatch, trees: AbstractSet[str]) -> bool:
    before = _abilities(agent)
    if patch.capabilities is not UNSET:
        agent.capabilities = int(patch.capabilities)
    if patch.custom_capabilities is not UNSET:
        agent.custom_capabilities = list(patch.custom_capabilities)
    if patch.components is not UNSET:
        named = patch.components.hash if isinstance(patch.components, Components) else ""
        agent.components_id = named if named in trees else None
    return before != _abilities(agent)


def _abilities(agent: AgentRow) -> tuple[Any, ...]:
    return agent.capabilities, agent.custom_capabilities, agent.components_id


def _described(agent: AgentRow, description: Description) -> tuple[Any, ...]:
    """The columns that follow from a description."""
    identifying, others = dict(description.identifying), dict(description.non_identifying)
    agent.display_name = display_name(
        uid=agent.instance_uid, name=agent.name, identifying=identifying, non_identifying=others
    )
    return (
        identifying,
        others,
        agent.display_name,
        attribute("service.name", identifying)[:100],
        attribute("service.version", identifying)[:64],
        attribute("host.name", others, identifying)[:255],
        attribute("os.type", others, identifying)[:64],
    )


def _write(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> None:
    update_rows(Agent, match=("instance_uid",), columns=columns, rows=rows)
