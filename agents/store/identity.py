"""Who an agent is: its description, capabilities and components, written when they change."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from agents.models import Agent, AgentStatus
from agents.naming import attribute, display_name
from agents.snapshot import UNSET, AgentPatch, Components, Description
from agents.store.dialects import update_rows

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
    patches: Sequence[AgentPatch], rows: Mapping[UUID, AgentStatus], trees: AbstractSet[str]
) -> None:
    """Write what changed of the agents themselves: at most one statement each for abilities and descriptions.

    trees: the component hashes whose tree is stored. The rows' agents are brought up to date in memory too.
    """
    able, described = [], []
    for patch in patches:
        agent = rows[patch.instance_uid].agent
        if _put_abilities(agent, patch, trees):
            able.append(agent)
        if isinstance(patch.description, Description):
            _put_description(agent, patch.description)
            described.append(agent)
    _write(able, _ABILITIES)
    _write(described, _DESCRIBED)


def _put_abilities(agent: Agent, patch: AgentPatch, trees: AbstractSet[str]) -> bool:
    before = [getattr(agent, name) for name in _ABILITIES]
    if patch.capabilities is not UNSET:
        agent.capabilities = int(patch.capabilities)
    if patch.custom_capabilities is not UNSET:
        agent.custom_capabilities = list(patch.custom_capabilities)
    if patch.components is not UNSET:
        named = patch.components.hash if isinstance(patch.components, Components) else ""
        agent.components_id = named if named in trees else None
    return before != [getattr(agent, name) for name in _ABILITIES]


def _put_description(agent: Agent, description: Description) -> None:
    identifying, others = dict(description.identifying), dict(description.non_identifying)
    agent.identifying, agent.non_identifying = identifying, others
    agent.collector_name = attribute("service.name", identifying)[:100]
    agent.collector_version = attribute("service.version", identifying)[:64]
    agent.host_name = attribute("host.name", others, identifying)[:255]
    agent.os_type = attribute("os.type", others, identifying)[:64]
    agent.display_name = display_name(
        uid=agent.instance_uid, name=agent.name, identifying=identifying, non_identifying=others
    )


def _write(agents: Sequence[Agent], columns: Sequence[str]) -> None:
    rows: list[list[Any]] = [
        [getattr(agent, name) for name in ("instance_uid", *columns)] for agent in agents
    ]
    update_rows(Agent, match=("instance_uid",), columns=columns, rows=rows)
