"""What became of an action on many collectors, told on the next page."""

from django.contrib import messages
from django.http import HttpRequest

from agents.services import Outcome
from telflo.ui.numbers import counted


def tell(request: HttpRequest, done: str, outcome: Outcome) -> None:
    """How many are `done`, such as "moved", and how many are not, with the reason of the first."""
    if outcome.done:
        is_are = "is" if outcome.done == 1 else "are"
        messages.success(request, f"{counted(outcome.done, 'collector')} {is_are} {done}")
    if outcome.refused:
        number = counted(len(outcome.refused), "collector")
        messages.error(request, f"{number} not {done}: {outcome.refused[0]}")
