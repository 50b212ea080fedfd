"""The only sender on the channel layer: hints for the gateways (agents/notify.py words them) and for open pages.

Everything here is a hint. Rows are the truth and a reconcile loop compares (I4), so a hint that is lost costs
seconds and nothing else: a port never raises. Inside a transaction call `touch_on_commit`.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

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
        layer = get_channel_layer()
        try:
            async_to_sync(layer.group_send)(group, message)
        except Exception:
            logger.warning("A hint to %s was lost; reconcile finds it.", group, exc_info=True)


class EmbeddedPort:
    """Sends from any thread of a server process by way of the server's own loop (decision 25)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, layer: Layer) -> None:
        self._loop = loop
        self._layer = layer

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Hand the message to the loop and go on without waiting."""
        sending = self._layer.group_send(group, message)
        try:
            future = asyncio.run_coroutine_threadsafe(sending, self._loop)
        except RuntimeError:  # the loop is closed: the server is stopping
            sending.close()
            return
        future.add_done_callback(_log_failure)


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


def _log_failure(future: "Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        logger.warning("A hint was lost; reconcile finds it.", exc_info=error)
