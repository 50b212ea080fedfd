"""The demo's collectors: simulated agents on a loop of their own, in a thread beside the server."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import uvloop

from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.fleet import Fleet
from opamp.simulator.member import Member
from opamp.simulator.plan import Plan

_WITHIN_S: Final = 300.0
"""For a machine that does much else; else it takes milliseconds."""
_ENDING_S: Final = 30.0
Result = TypeVar("Result")


class Crowd:
    """Collectors that come, go and fall ill when they are told to. Its methods may be called from any other thread."""

    def __init__(self, url: str) -> None:
        self._fleet = Fleet(Plan(url=url, tokens=(), count=0, backoff_max_s=5.0))
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="demo-collectors", daemon=True
        )

    def start(self) -> None:
        """Begin, with nobody."""
        self._thread.start()
        self._run(self._fleet.start())

    def stop(self) -> None:
        """End, without goodbyes: the server ends too."""
        if not self._thread.is_alive():
            return
        self._run(self._fleet.stop(gracefully=False, within_s=2.0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ENDING_S)

    def arrive(
        self, agents: Sequence[SimulatedAgent], token: str, *, over_http: bool = False
    ) -> list[Member]:
        """New collectors connect."""
        return self._do(
            lambda: [self._fleet.add(agent, token, over_http=over_http) for agent in agents]
        )

    def leave(self, members: Sequence[Member], *, gracefully: bool = True) -> None:
        """They go off the network, with a goodbye or without."""
        self._each(members, lambda member: self._fleet.disconnect(member, gracefully=gracefully))

    def come_back(self, members: Sequence[Member]) -> None:
        """They connect again."""
        self._each(members, self._fleet.reconnect)

    def fall_ill(self, members: Sequence[Member], error: str) -> None:
        """Their exporters fail, or work again with ""."""
        self._each(members, lambda member: self._fleet.fall_ill(member, error))

    def report_health(self, members: Sequence[Member]) -> None:
        """They say how they are, once more."""
        self._each(members, lambda one: self._fleet.fall_ill(one, one.agent.behaviour.ailment))

    def behave(self, members: Sequence[Member], **changes: Any) -> None:
        """Change how they behave from now on (fields of Behaviour)."""

        def change(member: Member) -> None:
            member.agent.behaviour = replace(member.agent.behaviour, **changes)

        self._each(members, change)

    def _each(self, members: Sequence[Member], action: Callable[[Member], None]) -> None:
        def all_of_them() -> None:
            for member in members:
                action(member)

        self._do(all_of_them)

    def _do(self, action: Callable[[], Result]) -> Result:
        async def on_loop() -> Result:
            return action()

        return self._run(on_loop())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WITHIN_S)
        except TimeoutError as error:
            raise TimeoutError(
                f"The demo's collectors did not do within {_WITHIN_S:.0f} s what they were told."
            ) from error
