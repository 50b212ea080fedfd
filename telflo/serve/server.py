"""uvicorn, stopped the way agents need it: first nobody new, then agents in slices, then the rest.

Plain uvicorn closes every socket at once on SIGTERM, before the application hears of it (decision 24).
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from types import FrameType
from typing import Final

import uvicorn
from uvicorn._types import ASGIApplication

from opamp.arrivals import Arrivals
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from telflo.serve.guards import GuardedHttp, GuardedWebSocket
from telflo.serve.sockets import BACKLOG

logger = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SECOND_SIGNAL: Final = 130
_GRACE_S: Final = 10


class TelfloServer(uvicorn.Server):
    """Serves on given sockets until a signal; before_stop runs when nobody new can come in any more."""

    def __init__(
        self,
        config: uvicorn.Config,
        gateway: Gateway,
        *,
        on_loop: Callable[[asyncio.AbstractEventLoop], None],
        on_started: Callable[[], None],
        before_stop: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._arrivals = Arrivals(gateway.options, gateway.counters, self._count)
        config.http = partial(GuardedHttp, arrivals=self._arrivals)  # type: ignore[assignment]  # uvicorn only calls it
        config.ws = partial(GuardedWebSocket, arrivals=self._arrivals, gateway=gateway)  # type: ignore[assignment]  # the same
        self._on_loop = on_loop
        self._on_started = on_started
        self._before_stop = before_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell on_loop which loop it is, start, tell on_started that connections are accepted."""
        self._on_loop(asyncio.get_running_loop())
        await super().startup(sockets=sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let agents go, then do what uvicorn does."""
        for server in self.servers:
            server.close()
        self._arrivals.heads.cut_all()
        try:
            await self._before_stop()
        except Exception:
            logger.exception("Agents could not be let go in order.")
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order on the first signal, at once on the second."""
        if self.should_exit:
            os._exit(_SECOND_SIGNAL)
        super().handle_exit(sig, frame)

    def _count(self) -> int:
        return len(self.server_state.connections)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals; unlike uvicorn do not raise them again at the end: an orderly stop is exit code 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def make_config(app: ASGIApplication, *, options: GatewayOptions) -> uvicorn.Config:
    """Uvicorn's options: our limits, no compression, no log of its own."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        ws_max_size=options.protocol.message_bytes,
        ws_per_message_deflate=False,
        # A restarting collector answers pings only after up to 15 s.
        ws_ping_interval=options.ping_s,
        ws_ping_timeout=options.ping_s,
        h11_max_incomplete_event_size=options.header_bytes,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=_GRACE_S,
    )
