"""A collector's own configuration made a version or a draft: what runs on a host can become what is intended."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from agents import store
from agents.models import Agent
from configs.collector.adopting import Adopted, adopt, adopt_alone
from configs.collector.drift import effective_model
from configs.collector.errors import ParseError
from configs.collector.model import Model, model_of
from configs.collector.parse import parse
from configs.drafts import put_draft
from configs.errors import DraftChanged, DraftThere
from configs.models import Configuration, ConfigVersion
from configs.services import create_configuration, save_version
from fleets.models import Membership
from telflo.base import activity
from telflo.base.activity import Actor
from telflo.base.errors import Conflict

_RELEASE: Final = re.compile(r"v?(\d{1,4}\.\d{1,4}\.\d{1,4})(?:[-+].*)?")


@dataclass(frozen=True, slots=True)
class AdoptedText:
    """Where the text is now: a version, or (None) the draft of the configuration. variables: environment variables that
    stand where the collector hides a secret.
    """

    configuration: Configuration
    version: ConfigVersion | None
    variables: tuple[str, ...]


@transaction.atomic
def adopt_effective(
    *, agent: Agent, actor: Actor, reason: str = "", as_draft: bool = False
) -> AdoptedText:
    """Save what the agent runs as the next, unpublished version of what it should run, or as the draft of that.

    Raises Conflict when there is nothing to adopt, DraftThere, and what save_version raises.
    """
    member = (
        Membership.objects.select_related("desired__version__configuration")
        .filter(agent=agent)
        .first()
    )
    if member is None or member.desired is None:
        raise Conflict(
            f"{agent} should run no version, so there is none to compare with.", code="no_version"
        )
    intended = member.desired.version
    adopted = _adopted(agent, intended)
    version = None
    if as_draft:
        _begin_draft(intended, adopted.text, actor)
    else:
        version = save_version(
            configuration=intended.configuration,
            yaml=adopted.text,
            note=reason or f"What {agent} runs, based on v{intended.number}.",
            collector_version=intended.collector_version,
            actor=actor,
        )
    made = AdoptedText(intended.configuration, version, tuple(adopted.secrets.values()))
    _record(agent, made, member.fleet_id, reason, actor)
    return made


@transaction.atomic
def adopt_as_new(*, agent: Agent, name: str, actor: Actor, reason: str = "") -> AdoptedText:
    """Version 1 of a new configuration: what the agent runs, without what its supervisor added.

    Raises Conflict when it did not say what it runs, or runs nothing, and what create_configuration raises.
    """
    adopted = adopt_alone(_effective(agent))
    if not adopted.changes:
        raise Conflict(
            f"{agent} runs no pipeline of its own: there is nothing to adopt.",
            code="nothing_to_adopt",
        )
    configuration = create_configuration(name=name, actor=actor)
    version = save_version(
        configuration=configuration,
        yaml=adopted.text,
        note=reason or f"What {agent} runs.",
        collector_version=_release(agent.collector_version),
        actor=actor,
    )
    made = AdoptedText(configuration, version, tuple(adopted.secrets.values()))
    _record(agent, made, None, reason, actor)
    return made


def _begin_draft(intended: ConfigVersion, text: str, actor: Actor) -> None:
    try:
        put_draft(
            configuration=intended.configuration,
            yaml=text,
            lock_version=None,
            base=intended,
            collector_version=intended.collector_version,
            actor=actor,
        )
    except DraftChanged as error:
        raise DraftThere(error.draft) from error


def _record(
    agent: Agent, made: AdoptedText, fleet_id: UUID | None, reason: str, actor: Actor
) -> None:
    activity.record(
        actor=actor,
        action="agent.adopt_config",
        obj=agent,
        fleet_id=fleet_id,
        reason=reason,
        after={
            "version": str(made.version or f"{made.configuration}, draft"),
            "variables": sorted(made.variables),
        },
    )


def _release(reported: str) -> str:
    """A collector version as versions name it; "" for a build of one's own."""
    found = _RELEASE.fullmatch(reported)
    return found[1] if found else ""


def _adopted(agent: Agent, intended: ConfigVersion) -> Adopted:
    adopted = adopt(model_of(parse(intended.yaml)), _effective(agent))
    if not adopted.changes:
        raise Conflict(
            f"{agent} runs what {intended} says and nothing else: there is nothing to adopt.",
            code="nothing_to_adopt",
        )
    return adopted


def _effective(agent: Agent) -> Model:
    """What the agent says it runs. Raises Conflict."""
    files = store.effective_files(agent.status.effective_config_id or "")
    try:
        effective = effective_model((file.name, file.body.decode()) for file in files)
    except (ParseError, UnicodeDecodeError):
        effective = None
    if effective is None:
        raise Conflict(
            f"{agent} did not say what it runs, or not in a form that can be read.",
            code="not_reported",
        )
    return effective
