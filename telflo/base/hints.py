"""The only sender on the channel layer: hints for the gateways (agents/notify.py words them) and for open pages.

Everything here is a hint. Rows are the truth and a reconcile loop compares (I4), so a hint that is lost costs
seconds and nothing else: a port never raises. Inside a transaction call `touch_on_commit`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from telflo.base.outage import warn

SEND_S: Final = 2.0
"""So long a hint may take; below it nothing ends: the layer's connections have no timeout."""
AT_ONCE: Final = 8
"""So many are under way at once, each on a connection of its own."""
WAITING: Final = 256
"""So many wait, those under way among them; more are dropped."""

_LOG_EVERY_S: Final = 10.0

UI: Final = "ui"
"""The group that every open page joins."""

logger = logging.getLogger(__name__)


class Layer(Protocol):
    """The part of a channel layer that is used for sending."""

    def group_send(self, group: str, message: dict[str, Any]) -> Coroutine[Any, Any, None]:
        """Send to all members of the group."""


class Port(Protocol):
    """How a message leaves this process. Never raises: what is sent are hints."""

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Send one message to one group."""


class ChannelLayerPort:
    """Sends from a thread without an event loop: Celery workers, management commands."""

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Send and wait until the layer has it."""
        try:
            async_to_sync(_send_in_time)(get_channel_layer(), group, message)
        except Exception as error:  # noqa: BLE001 - logged there
            _losses.count(error)


class EmbeddedPort:
    """Sends from any thread of a server process by way of the server's own loop (decision 25)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, layer: Layer) -> None:
        self._loop = loop
        self._layer = layer
        self._places = threading.Semaphore(WAITING)
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Hand the message to the loop and go on without waiting; dropped while too many wait."""
        if not self._places.acquire(blocking=False):
            _losses.count()
            return
        sending = self._send(group, message)
        try:
            future = asyncio.run_coroutine_threadsafe(sending, self._loop)
        except RuntimeError:  # the loop is closed: the server is stopping
            sending.close()
            self._places.release()
            return
        future.add_done_callback(self._sent)

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        async with asyncio.timeout(SEND_S), self._at_once:
            await self._layer.group_send(group, message)

    def _sent(self, future: "Future[None]") -> None:
        self._places.release()
        if not future.cancelled() and (error := future.exception()) is not None:
            _losses.count(error)


class RecordingPort:
    """Keeps what would be sent: for tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Remember the message."""
        self.sent.append((group, message))


_port: Port = ChannelLayerPort()


def set_port(port: Port) -> Port:
    """Choose how this process sends; answers the port used before. Called once at start."""
    global _port
    before, _port = _port, port
    return before


def send(group: str, message: dict[str, Any]) -> None:
    """Send one message to one group, the way that this process sends."""
    _port.send(group, message)


def touch(topics: Iterable[str]) -> None:
    """Tell open pages that what they show under these topics changed."""
    names = sorted(set(topics))
    if names:
        send(UI, {"type": "touch", "topics": names})


def touch_on_commit(topics: Iterable[str]) -> None:
    """The same once the transaction holds; at once outside of one."""
    if names := frozenset(topics):
        transaction.on_commit(partial(touch, names), robust=True)


def lost() -> int:
    """How many hints did not leave this process since it started."""
    return _losses.number


async def _send_in_time(layer: Layer, group: str, message: dict[str, Any]) -> None:
    async with asyncio.timeout(SEND_S):
        await layer.group_send(group, message)


class _Losses:
    """Counted from any thread, and logged once in a while: an outage loses hundreds a second."""

    def __init__(self) -> None:
        self.number = 0
        self._silent_until_s = 0.0
        self._lock = threading.Lock()

    def count(self, error: BaseException | None = None) -> None:
        now_s = time.monotonic()
        with self._lock:
            self.number += 1
            is_silent = error is None or now_s < self._silent_until_s
            if not is_silent:
                self._silent_until_s = now_s + _LOG_EVERY_S
        if error is not None and not is_silent:
            warn(logger, f"Hints are lost, {self.number} by now.", error)


_losses: Final = _Losses()
