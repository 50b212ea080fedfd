"""What goes on after the story, for as long as the demo runs: illness, restarts, bad networks, and rollouts."""

import logging
import random
import threading
from collections.abc import Sequence
from typing import Final

from opamp.simulator.member import Member
from telflo.demo import texts
from telflo.demo.crowd import Crowd
from telflo.demo.releases import Releases

logger = logging.getLogger(__name__)

_SHORTEST_S: Final = 10.0
_LONGEST_S: Final = 30.0
_AWAY_S: Final = 12.0
_FLAP_S: Final = 3.0
_FLAPS: Final = 3
MOST_ILL: Final = 3
RELEASE_EVERY: Final = 6
"""So many small events lie between two rollouts: some two minutes."""


class Life:
    """Small events until it is told to end. Each touches one collector, so the work stays the same for ever."""

    def __init__(
        self,
        crowd: Crowd,
        members: Sequence[Member],
        releases: Releases,
        ending: threading.Event,
        *,
        rng: random.Random,
    ) -> None:
        self._crowd = crowd
        self._members = members
        self._releases = releases
        self._ending = ending
        self._rng = rng
        self._ill: list[Member] = []
        self._rounds = 0

    def go_on(self) -> None:
        """Blocks until `ending` is set. What fails once is logged, and the next thing happens all the same."""
        while not self._ending.wait(self._rng.uniform(_SHORTEST_S, _LONGEST_S)):
            try:
                self._happen()
            except Exception:
                logger.exception("Something in the demo's present went wrong; it goes on.")

    def _happen(self) -> None:
        self._rounds += 1
        if self._rounds % RELEASE_EVERY == 0:
            self._releases.start_next()
        else:
            self._rng.choice((self._illness, self._restart, self._flap))()

    def _illness(self) -> None:
        if len(self._ill) >= MOST_ILL:
            self._crowd.fall_ill([self._ill.pop(0)], "")
            return
        member = self._rng.choice(self._members)
        if not member.agent.behaviour.ailment:
            self._ill.append(member)
            self._crowd.fall_ill([member], texts.EXPORT_REFUSED)

    def _restart(self) -> None:
        self._go_away(self._rng.choice(self._members), _AWAY_S, gracefully=True)

    def _flap(self) -> None:
        """The network of one cuts its connection again and again."""
        member = self._rng.choice(self._members)
        for _ in range(_FLAPS):
            self._go_away(member, _FLAP_S, gracefully=False)
            self._ending.wait(_FLAP_S)

    def _go_away(self, member: Member, for_s: float, *, gracefully: bool) -> None:
        self._crowd.leave([member], gracefully=gracefully)
        self._ending.wait(for_s)
        self._crowd.come_back([member])
