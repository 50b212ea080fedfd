"""What people do to a collector itself: its name and its labels. Access is checked by the caller."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from agents import store
from agents.models import Agent
from agents.naming import display_name
from agents.store.dialects import update_rows
from telflo.base import activity, hints
from telflo.base.activity import Actor
from telflo.base.errors import DomainError

MOST_LABELS = 64
LONGEST_KEY = 100
LONGEST_VALUE = 200
_TOO_MANY = f"A collector has at most {MOST_LABELS} labels."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action on many agents came to: how many have it now, and why others were refused, in words."""

    done: int
    refused: Sequence[str]


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


def label_agents(
    *, uids: Collection[UUID], put: Mapping[str, str], remove: Collection[str], actor: Actor
) -> Outcome:
    """Set some labels and take off others on many agents; their other labels stay. Raises DomainError for bad labels.

    One transaction with a fixed number of statements and one entry in the activity log. An agent that would have
    too many labels is refused alone.
    """
    put = _check_labels(put)
    with transaction.atomic():
        store.hold(uids)
        found = Agent.objects.select_for_update(no_key=True).filter(pk__in=uids).order_by("pk")
        agents = list(found.only("display_name", "labels"))
        changed, refused = [], []
        for agent in agents:
            labels = {k: v for k, v in {**agent.labels, **put}.items() if k not in remove}
            if len(labels) > MOST_LABELS:
                refused.append(f"{agent}: {_TOO_MANY}")
            elif labels != agent.labels:
                agent.labels = labels
                changed.append(agent)
        if changed:
            _write_labels(changed)
            activity.record_many(
                actor=actor,
                action="agent.label",
                kind="agent",
                labels={agent.pk: str(agent) for agent in changed},
                noun="collector",
                after={"labels": put, "removed": sorted(remove)},
            )
            _touch(*changed)
    return Outcome(len(agents) - len(refused), refused)


def _write_labels(agents: Sequence[Agent]) -> None:
    rows = [(agent.pk, agent.labels) for agent in agents]
    update_rows(Agent, match=("instance_uid",), columns=("labels",), rows=rows)


def _check_labels(labels: Mapping[str, str]) -> dict[str, str]:
    if len(labels) > MOST_LABELS:
        raise DomainError(_TOO_MANY, field="labels")
    checked = {}
    for key, value in labels.items():
        if not isinstance(value, str):
            raise DomainError(f"The label {key!r} needs a text as its value.", field="labels")
        if not key.isprintable():
            raise DomainError(
                f"A label's key has printable characters only. Change {key[:20]!r}.", field="labels"
            )
        if not key.strip() or len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise DomainError(
                f"A label's key has 1 to {LONGEST_KEY} characters, its value at most"
                f" {LONGEST_VALUE}. Change {key[:20]!r}.",
                field="labels",
            )
        checked[key.strip()] = value.strip()
    return checked


def _touch(*agents: Agent) -> None:
    hints.touch_on_commit(["agents", *(f"agent:{agent.pk}" for agent in agents)])
