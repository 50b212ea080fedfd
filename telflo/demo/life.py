"""What goes on after the story: now and then a collector falls ill, is mended, or its host restarts."""

import random
import threading
from typing import Final

from opamp.simulator.member import Member
from telflo.demo import texts
from telflo.demo.crowd import Crowd

_SHORTEST_S: Final = 10.0
_LONGEST_S: Final = 30.0
_AWAY_S: Final = 12.0
_MOST_ILL: Final = 3


class Life:
    """Small events until it is told to end."""

    def __init__(self, crowd: Crowd, members: list[Member], ending: threading.Event) -> None:
        self._crowd = crowd
        self._members = members
        self._ending = ending
        self._rng = random.Random(11)  # noqa: S311 - a story, not a secret
        self._ill: list[Member] = []

    def go_on(self) -> None:
        """Blocks until `ending` is set."""
        while not self._ending.wait(self._rng.uniform(_SHORTEST_S, _LONGEST_S)):
            self._rng.choice((self._illness, self._restart))()

    def _illness(self) -> None:
        if len(self._ill) >= _MOST_ILL:
            self._crowd.fall_ill([self._ill.pop(0)], "")
            return
        member = self._rng.choice(self._members)
        if not member.agent.behaviour.ailment:
            self._ill.append(member)
            self._crowd.fall_ill([member], texts.EXPORT_REFUSED)

    def _restart(self) -> None:
        member = self._rng.choice(self._members)
        self._crowd.leave([member])
        self._ending.wait(_AWAY_S)
        self._crowd.come_back([member])
