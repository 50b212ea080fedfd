"""What people do to a collector itself: its name and its labels. Access is checked by the caller."""

from collections.abc import Mapping

from django.db import transaction

from agents.models import Agent
from agents.naming import display_name
from telflo.base import activity, hints
from telflo.base.activity import Actor
from telflo.base.errors import DomainError

MOST_LABELS = 64
LONGEST_KEY = 100
LONGEST_VALUE = 200


def rename_agent(*, agent: Agent, name: str, actor: Actor) -> Agent:
    """Give a name of a person's choice; "" goes back to what the collector says of itself."""
    name = name.strip()
    if len(name) > LONGEST_VALUE:
        raise DomainError(f"A name has at most {LONGEST_VALUE} characters.", field="name")
    before = {"name": agent.name}
    agent.name = name
    agent.display_name = display_name(
        uid=agent.instance_uid,
        name=name,
        identifying=agent.identifying,
        non_identifying=agent.non_identifying,
    )
    with transaction.atomic():
        agent.save(update_fields=["name", "display_name"])
        activity.record(
            actor=actor, action="agent.rename", obj=agent, before=before, after={"name": name}
        )
        _touch(agent)
    return agent


def label_agent(*, agent: Agent, labels: Mapping[str, str], actor: Actor) -> Agent:
    """Replace the labels that people give on the server (decision 18). Raises DomainError."""
    checked = _check_labels(labels)
    before = {"labels": agent.labels}
    agent.labels = checked
    with transaction.atomic():
        agent.save(update_fields=["labels"])
        activity.record(
            actor=actor, action="agent.label", obj=agent, before=before, after={"labels": checked}
        )
        _touch(agent)
    return agent


def _check_labels(labels: Mapping[str, str]) -> dict[str, str]:
    if len(labels) > MOST_LABELS:
        raise DomainError(f"A collector has at most {MOST_LABELS} labels.", field="labels")
    checked = {}
    for key, value in labels.items():
        if not isinstance(value, str):
            raise DomainError(f"The label {key!r} needs a text as its value.", field="labels")
        if not key.strip() or len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise DomainError(
                f"A label's key has 1 to {LONGEST_KEY} characters, its value at most"
                f" {LONGEST_VALUE}. Change {key[:20]!r}.",
                field="labels",
            )
        checked[key.strip()] = value.strip()
    return checked


def _touch(agent: Agent) -> None:
    hints.touch_on_commit(["agents", f"agent:{agent.pk}"])
