"""A rollout's new state is told outside, in the transaction that enters it."""

from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import Count

from configs.models import ConfigVersion
from fleets.models import Rollout, Target
from fleets.rollouts.plan import State
from fleets.rollouts.telling import Subject, data_of, telling_of
from notices.outbox import News, tell
from telflo.base import activity
from telflo.base.activity import Actor


def tell_state(rollout: Rollout, now: datetime) -> None:
    """Two statements to read what is said, and one to keep it."""
    subject = _subject(rollout)
    state, reason = State(rollout.state), rollout.state_reason
    telling = telling_of(state, reason, subject)
    if telling is None:
        return
    news = News(
        kind=telling.kind,
        title=telling.title,
        text=telling.text,
        path=f"/rollouts/{rollout.number}/",
        fleet_id=rollout.fleet_id,
        data=data_of(state, reason, subject),
    )
    tell(news, now=now)


def record_turn(rollout: Rollout, before: str) -> None:
    """What the plan did of itself, and a person could have done, is in the activity log as theirs is."""
    was, is_now = State(before), State(rollout.state)
    record = _TURNS.get(is_now)
    begins = is_now is State.RUNNING and was is not State.PAUSED
    if was is is_now or record is None or begins:
        return
    record(
        actor=Actor.worker("rollouts"),
        obj=rollout,
        label=f"{rollout.version} to {rollout.fleet}",
        reason=rollout.state_reason,
        before={"state": before},
        after={"state": rollout.state},
    )


_TURNS: Final = {
    State.PAUSED: partial(activity.record, action="rollout.pause"),
    State.ROLLING_BACK: partial(activity.record, action="rollout.roll_back"),
    State.RUNNING: partial(activity.record, action="rollout.resume"),
    State.CANCELLED: partial(activity.record, action="rollout.cancel"),
}


def _subject(rollout: Rollout) -> Subject:
    states = Target.objects.filter(rollout=rollout).order_by().values_list("state")
    version = ConfigVersion.objects.filter(pk=rollout.version_id)
    name, number = version.values_list("configuration__name", "number").get()
    return Subject(
        id=rollout.pk,
        number=rollout.number,
        configuration=name,
        version=number,
        fleet_id=rollout.fleet_id,
        fleet_slug=rollout.fleet.slug,
        fleet=rollout.fleet.name,
        targets=dict(states.annotate(n=Count("*"))),
    )
