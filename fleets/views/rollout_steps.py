"""What people do to a rollout that is under way: asked once, with what it means."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from agents.views.telling import tell
from agents.wording import RETRIED, RETRY_MANY
from fleets.models import Rollout, RolloutState, TargetState
from fleets.rollouts.choosing import failed_with, waiting_with
from fleets.rollouts.plan import ACTIVE, State, may_act
from fleets.rollouts.plan import Action as Step
from fleets.rollouts.services import act_on_rollout, leave_out
from fleets.services import retry_targets
from fleets.views.subject import rollout_or_404
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask, ask_first, reason_of
from telflo.ui.numbers import counted, grouped


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step as the pages say it. in_menu: it is rare, and stands behind the buttons."""

    slug: str
    verb: str
    icon: str
    title: Callable[[Rollout], str]
    body: str
    done: str
    tone: str = "plain"
    in_menu: bool = False


WORDS: Final = {
    Step.PAUSE: StepWords(
        "pause",
        "Pause",
        "pause",
        lambda rollout: f"Pause {rollout}?",
        "Nobody else gets the version until somebody resumes it. Collectors that were offered it go on. While it is"
        " paused it is not taken back by itself, however many fail: then somebody has to roll it back, or resume it.",
        "It is paused",
    ),
    Step.RESUME: StepWords(
        "resume",
        "Resume",
        "play",
        lambda rollout: f"Resume {rollout}?",
        "It goes on where it was.",
        "It goes on",
    ),
    Step.SKIP_BAKE: StepWords(
        "skip-bake",
        "Skip the bake",
        "timer",
        lambda rollout: f"Go on with {rollout} now?",
        "The next stage starts at once instead of after the time that this one is watched.",
        "The bake is skipped",
    ),
    Step.ROLL_BACK: StepWords(
        "rollback",
        "Roll back",
        "undo-2",
        lambda rollout: f"Take {rollout.version} back?",
        "Every collector that got it returns to the version that it had before, all at once, and restarts once."
        " Offline ones go back when they return.",
        "It is taken back",
        "danger",
    ),
    Step.CANCEL: StepWords(
        "cancel",
        "Cancel the rollout",
        "ban",
        lambda rollout: f"Cancel {rollout}?",
        "Nobody else gets the version. Collectors that moved stay on it, and the fleet then runs two versions.",
        "It is cancelled",
        "danger",
        in_menu=True,
    ),
}
_BY_SLUG: Final = {words.slug: step for step, words in WORDS.items()}


def possible_steps(rollout: Rollout) -> list[StepWords]:
    """What may be done to it in its state, in the order of the buttons."""
    state = State(rollout.state)
    return [words for step, words in WORDS.items() if may_act(state, step)]


@requires(Action.OPERATE, methods=("GET", "POST"))
def step(request: HttpRequest, number: int, slug: str) -> HttpResponse:
    """Ask, then do it."""
    rollout = rollout_or_404(number)
    if slug not in _BY_SLUG:
        raise Http404
    wanted = _BY_SLUG[slug]
    words = WORDS[wanted]
    question = Question(
        title=words.title(rollout),
        body=words.body,
        verb=words.verb,
        keep="Leave it",
        tone=words.tone,
        back_url=reverse("rollouts:detail", args=[rollout.number]),
    )
    change = partial(act_on_rollout, rollout=rollout, action=wanted, actor=actor_of(request))
    return ask_first(request, question, change, done=words.done)


@requires(Action.OPERATE, methods=("GET", "POST"))
def exclude(request: HttpRequest, number: int) -> HttpResponse:
    """`?uid=`: leave this one out, once it was confirmed. `?key=&value=`: those that wait and have this attribute."""
    rollout = rollout_or_404(number)
    choice = (
        _one(rollout, request.GET["uid"])
        if "uid" in request.GET
        else _those_with(rollout, request.GET.get("key", ""), request.GET.get("value", ""))
    )
    question = Question(
        title=choice.title,
        body=choice.body,
        verb=choice.verb,
        keep="Keep them in" if choice.verb else "Back",
        back_url=reverse("rollouts:detail", args=[rollout.number]),
    )
    change = partial(
        leave_out, rollout=rollout, uids=choice.uids, actor=actor_of(request), label=choice.label
    )
    return ask_first(request, question, change, done=choice.done)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Who is to be left out, and how it is asked. verb "": they cannot be. label: for the activity log."""

    uids: Collection[UUID]
    title: str
    body: str
    verb: str
    done: str
    label: str


def _those_with(rollout: Rollout, key: str, value: str) -> _Choice:
    uids = waiting_with(rollout, key, value)
    many = counted(len(uids), "collector")
    return _Choice(
        uids,
        title=f"Leave {many} out?",
        body=f"They wait and have {key}={value}. {_KEEPS.format('They keep what they run')}",
        verb=f"Leave {grouped(len(uids))} out" if uids else "",
        done=f"{many} left out",
        label=f"{key}={value}",
    )


def _one(rollout: Rollout, uid: str) -> _Choice:
    """Raises Http404 for what is no target."""
    target = get_object_or_404(rollout.targets.select_related("agent"), agent_id=_uuid(uid))
    name = str(target.agent)
    words = _why_one(rollout).get(TargetState(target.state))
    return _Choice(
        [UUID(uid)],
        title=f"Leave {name} out?" if words else f"{name} cannot be left out",
        body=words or "It was offered the version, or is left out or done with already.",
        verb="Leave 1 out" if words else "",
        done=f"{name} is left out",
        label=name,
    )


@requires(Action.OPERATE, methods=("GET", "POST"))
def retry(request: HttpRequest, number: int) -> HttpResponse:
    """`?cause=`: try the version once more where it failed for this cause; without, wherever it failed."""
    rollout = rollout_or_404(number)
    uids = failed_with(rollout, cause=request.GET.get("cause", ""))
    many = counted(len(uids), "collector")
    question = Question(
        title=f"Retry {rollout.version} on {many}?" if uids else "Nobody can be retried",
        body=RETRY_MANY if uids else _NOBODY_FAILED,
        verb=f"Retry {grouped(len(uids))}" if uids else "",
        keep="Leave them" if uids else "Back",
        back_url=reverse("rollouts:detail", args=[rollout.number]),
    )
    if request.method != "POST":
        return ask(request, question)
    try:
        outcome = retry_targets(
            rollout=rollout, uids=uids, actor=actor_of(request), reason=reason_of(request)
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        tell(request, RETRIED, outcome)
    return redirect(question.back_url)


_NOBODY_FAILED: Final = (
    "The version failed on none of those any more, or another version is wanted there by now."
)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _why_one(rollout: Rollout) -> Mapping[TargetState, str]:
    """What leaving one out means, by its state; nothing for a state in which it cannot be."""
    if rollout.state in ACTIVE:
        return _WHY_ONE
    if rollout.state != RolloutState.SUCCEEDED:
        return {}
    left = {TargetState.PENDING_OFFLINE: _WHY_ONE[TargetState.PENDING_OFFLINE]}
    return left | ({TargetState.FAILED: _FREES_ITS_ZONE} if rollout.zone_limit else {})


_KEEPS: Final = "{}, and the fleet then runs two versions."
_WHY_ONE: Final = {
    TargetState.WAITING: f"It waits. {_KEEPS.format('It keeps what it runs')}",
    TargetState.PENDING_OFFLINE: "It is offline, and would get the version on its return."
    f" {_KEEPS.format('It keeps what it runs')}",
    TargetState.FAILED: "The version failed there. It stops counting against the failure budget,"
    f" and is not offered the version again. {_KEEPS.format('It keeps what it runs')}",
}
_FREES_ITS_ZONE: Final = (
    "The version failed there. Others of its zone wait for it no longer and get the version, also while it is not well."
    f" It is not offered the version again. {_KEEPS.format('It keeps what it runs')}"
)
