"""Whether a socket is read: one door for all that speaks against it, so that none resumes what another paused."""

import asyncio
from collections.abc import Callable
from typing import Final

from opamp.pace import Pace

MOST_AT_ONCE: Final = 4096
"""So many bytes are read of a socket until its pace is asked again: what was read is answered."""


def _nothing_waits() -> bool:
    return True


class Reading:
    """A socket is not read while its peer is faster than its pace, nor while the peer does not read what it is sent.

    take_rest: takes what was read before and waits; answers whether more may be read.
    """

    __slots__ = ("_is_choked", "_loop", "_pace", "_socket", "_take_rest", "_timer")

    def __init__(
        self,
        socket: asyncio.Transport,
        pace: Pace,
        take_rest: Callable[[], bool] = _nothing_waits,
    ) -> None:
        self._socket = socket
        self._pace = pace
        self._take_rest = take_rest
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_choked = False

    @property
    def is_held(self) -> bool:
        """Whether nothing is to be read now."""
        return self._is_choked or self._timer is not None

    def rest(self) -> None:
        """The peer owes its pace something: read on when that is made up for, whatever it comes to meanwhile."""
        if self._timer is None and not self._socket.is_closing():
            self._socket.pause_reading()
            self._look()

    def choke(self) -> None:
        """The peer does not read: read nothing more of it, so that nothing more is answered."""
        self._is_choked = True
        self._socket.pause_reading()

    def unchoke(self) -> None:
        """The peer has read."""
        self._is_choked = False
        self._go_on()

    def hold(self) -> None:
        """Somebody else has resumed reading: pause again where that was too early."""
        if self.is_held and not self._socket.is_closing():
            self._socket.pause_reading()

    def free(self) -> None:
        """Read whatever speaks against it: only the end is waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.unchoke()

    def _look(self) -> None:
        rest_s = 0.0 if self._socket.is_closing() else self._pace.rest(self._loop.time())
        self._timer = self._loop.call_later(rest_s, self._look) if rest_s else None
        self._go_on()

    def _go_on(self) -> None:
        if self.is_held or self._socket.is_closing():
            return
        if self._take_rest() and not self._socket.is_closing():
            self._socket.resume_reading()
