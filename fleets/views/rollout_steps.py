"""What people do to a rollout that is under way: asked once, with what it means."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from fleets.models import Rollout
from fleets.rollouts.plan import Action as Step
from fleets.rollouts.plan import State, may_act
from fleets.rollouts.services import act_on_rollout, leave_out, waiting_with
from fleets.views.subject import rollout_or_404
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask_first
from telflo.ui.numbers import counted, grouped


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step as the pages say it."""

    slug: str
    verb: str
    icon: str
    title: Callable[[Rollout], str]
    body: str
    done: str
    tone: str = "plain"


WORDS: Final = {
    Step.PAUSE: StepWords(
        "pause",
        "Pause",
        "pause",
        lambda rollout: f"Pause {rollout}?",
        "Nobody else gets the version until somebody resumes it. Collectors that were offered it go on.",
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
        "Cancel",
        "ban",
        lambda rollout: f"Cancel {rollout}?",
        "Nobody else gets the version. Collectors that moved stay on it, and the fleet then runs two versions.",
        "It is cancelled",
        "danger",
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
    """`?key=&value=`: leave those out that wait and have this attribute, once it was confirmed."""
    rollout = rollout_or_404(number)
    key, value = request.GET.get("key", ""), request.GET.get("value", "")
    uids = waiting_with(rollout, key, value)
    question = Question(
        title=f"Leave {counted(len(uids), 'collector')} out?",
        body=f"They wait and have {key}={value}. They keep what they run, and the fleet then runs two versions.",
        verb=f"Leave {grouped(len(uids))} out" if uids else "",
        keep="Keep them in",
        back_url=reverse("rollouts:detail", args=[rollout.number]),
    )
    change = partial(
        leave_out, rollout=rollout, uids=uids, actor=actor_of(request), label=f"{key}={value}"
    )
    return ask_first(request, question, change, done=f"{counted(len(uids), 'collector')} left out")
