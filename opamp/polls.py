"""Requests over plain HTTP: how many may be open, how fast one agent may poll, and whose turn it is (A5).

A fleet may share one token, so a token is not held to a pace of its own: what it may have is a share. It has so many
requests open, and while others wait each token has its turn in order, however many requests wait by one of them. The
pace is that of an agent, as a connection's is over WebSocket.
"""

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

from opamp.errors import Overloaded, TooMany
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.pace import Paces

Result = TypeVar("Result")
Holder = UUID | None
"""A credential's id."""


class Polls:
    """Those of one process."""

    def __init__(self, options: GatewayOptions, counters: Counters) -> None:
        self._options = options
        self.counters = counters
        self._open: Counter[Holder] = Counter()
        self._paces: Paces[tuple[Holder, UUID]] = Paces(options.pace)
        self._turns = Turns(options.request_threads)
        self.open = 0
        """Requests whose sender is known and that are not answered."""

    def start(self) -> None:
        """Begin."""
        number = self._options.request_threads
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="opamp-post")

    def stop(self) -> None:
        """Do nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def holding(self, holder: Holder) -> Iterator[None]:
        """Count a request from when its sender is known, before its body is read, until it is answered.

        Raises TooMany when the token has as many open as it may have, Overloaded when less is free than it has.
        """
        self._check(holder)
        self.open += 1
        self._open[holder] += 1
        try:
            yield
        finally:
            self.open -= 1
            self._open[holder] -= 1
            if not self._open[holder]:
                del self._open[holder]

    def check_pace(self, holder: Holder, uid: UUID, size: int) -> None:
        """Count a message of an agent, of so many bytes. Raises TooMany for one that comes too fast."""
        now_s = asyncio.get_running_loop().time()
        pace = self._paces.of((holder, uid), now_s)
        if wait_s := pace.check(now_s):
            self.counters.slow()
            wait_s = max(math.ceil(wait_s), self._options.retry_after())
            raise TooMany("This collector sends too many messages.", wait_s)
        pace.take(now_s, size)

    @asynccontextmanager
    async def turn(self, holder: Holder) -> AsyncIterator[None]:
        """Wait for the token's turn, and have it: what a message takes to be worked on is taken by so many at once."""
        with self.counters.admitting():
            await self._turns.take(holder)
            try:
                yield
            finally:
                self._turns.give()

    async def run(self, work: Callable[..., Result], *args: Any) -> Result:
        """Do blocking work, within a turn. The threads are its own: however many poll, tokens are looked up and
        agents on WebSockets let in.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def _check(self, holder: Holder) -> None:
        options = self._options
        if self._open[holder] >= options.requests_per_token:
            self.counters.put_off("requests_per_token")
            text = f"This token has {options.requests_per_token} requests open already."
            raise TooMany(text, options.retry_after())
        if self._open[holder] >= options.requests - self.open:
            # As many as it has are left free for others: however many tokens take what they may, the next has some too.
            self.counters.put_off("requests")
            raise Overloaded(options.retry_after())


class Turns:
    """`most` at once. Of those who wait each holder has one turn, then the next holder; within one, who came first."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: OrderedDict[Holder, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, holder: Holder) -> None:
        """Return when it is the holder's turn; call give() at its end."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(holder, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give()  # it was this one's turn already
            raise

    def give(self) -> None:
        """A turn is over: the next one's begins."""
        while self._waiting:
            holder, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[holder] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
