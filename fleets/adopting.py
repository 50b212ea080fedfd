"""A collector's own configuration made a version, so that what was changed on its host can become what is intended."""

from dataclasses import dataclass

from django.db import transaction

from agents import store
from agents.models import Agent
from configs.collector.adopting import Adopted, adopt
from configs.collector.drift import effective_model
from configs.collector.errors import ParseError
from configs.collector.model import model_of
from configs.collector.parse import parse
from configs.models import ConfigVersion
from configs.services import save_version
from fleets.models import Membership
from telflo.base import activity
from telflo.base.activity import Actor
from telflo.base.errors import Conflict


@dataclass(frozen=True, slots=True)
class AdoptedVersion:
    """The version, and the environment variables that stand where the collector hides a secret."""

    version: ConfigVersion
    variables: tuple[str, ...]


def adopt_effective(*, agent: Agent, actor: Actor, reason: str = "") -> AdoptedVersion:
    """Save what the agent runs as the next, unpublished version of the configuration that it should run.

    Raises Conflict when there is nothing to adopt, and what save_version raises.
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
    with transaction.atomic():
        version = save_version(
            configuration=intended.configuration,
            yaml=adopted.text,
            note=reason or f"What {agent} runs, based on v{intended.number}.",
            collector_version=intended.collector_version,
            actor=actor,
        )
        activity.record(
            actor=actor,
            action="agent.adopt_config",
            obj=agent,
            fleet_id=member.fleet_id,
            reason=reason,
            after={"version": str(version), "variables": sorted(adopted.secrets.values())},
        )
    return AdoptedVersion(version, tuple(adopted.secrets.values()))


def _adopted(agent: Agent, intended: ConfigVersion) -> Adopted:
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
    base = model_of(parse(intended.yaml))
    adopted = adopt(base, effective)
    if not adopted.changes:
        raise Conflict(
            f"{agent} runs what {intended} says and nothing else: there is nothing to adopt.",
            code="nothing_to_adopt",
        )
    return adopted
