"""The demo as a whole: a fresh data folder, the server, the story told beside it, life going on."""

import logging
import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import socket
from typing import Final

from django.conf import settings
from django.db import connections

from telflo.demo.crowd import Crowd
from telflo.demo.life import Life
from telflo.demo.oncall import NETWORK, OnCall
from telflo.demo.past import past
from telflo.demo.releases import Releases
from telflo.demo.story import DAYS, EDGE, KUBERNETES, PATIENCE, STAGING, Story
from telflo.serve.embedded import EmbeddedCelery
from telflo.serve.firststart import prepare
from telflo.serve.run import run_here
from telflo.serve.sockets import url_of

logger = logging.getLogger(__name__)

DATABASE: Final = "telflo.sqlite3"
MARK: Final = "this-folder-is-the-demo's"
"""A file that says that everything in its folder may be thrown away."""


class NotOurs(Exception):
    """The data folder holds an installation that the demo did not make."""


def renew(data: Path) -> None:
    """An empty data folder: what an earlier demo left is deleted. Raises NotOurs for anything else's."""
    mark = data / MARK
    if (data / DATABASE).exists() and not mark.exists():
        raise NotOurs(str(data))
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            (data / (DATABASE + suffix)).unlink()


class QuietCelery(EmbeddedCelery):
    """Background tasks without the clock: while time leaps, nobody may look for the silent."""

    def start(self) -> None:
        """Start the worker alone; start_beat() is for later."""
        self.start_worker()


class Demo:
    """Serves on a bound socket until a signal."""

    def __init__(self, sock: socket, *, collectors: int, say: Callable[[str], None]) -> None:
        self._url = url_of(sock)
        self._sock = sock
        self._collectors = collectors
        self._say = say
        self._celery = QuietCelery()
        self._crowd = Crowd(self._url.replace("http", "ws", 1) + "/v1/opamp")
        self._on_call = OnCall()
        settings.WEBHOOK_ALLOW = (*settings.WEBHOOK_ALLOW, NETWORK)
        settings.APPLY_TIMEOUT = max(settings.APPLY_TIMEOUT, PATIENCE)
        self._ending = threading.Event()
        self._stay = ExitStack()
        self._leave_the_past = self._stay.close
        self._clock = self._stay.enter_context(past(days=DAYS))
        self.has_failed = False

    def run(self) -> None:
        """Make the installation in the past, serve it in the present. Blocks."""
        story = threading.Thread(target=self._tell, name="demo-story", daemon=True)
        for line in prepare():
            self._say(line)
        connections.close_all()
        try:
            run_here(self._sock, celery=self._celery, announce=story.start)
        finally:
            self._ending.set()
            self._leave_the_past()
            self._crowd.stop()
            self._on_call.stop()

    def _tell(self) -> None:
        """The story, then the present with a clock that ticks. When that fails the server ends too."""
        try:
            story = self._history()
        except Exception:
            logger.exception("The demo's story could not be told to its end.")
            self.has_failed = True
            os.kill(os.getpid(), signal.SIGTERM)
            return
        self._celery.start_beat()
        self._say(f"Telflo's demo is at {self._url}")
        self._life_after(story).go_on()
        connections.close_all()

    def _life_after(self, story: Story) -> Life:
        rng = random.Random(11)  # noqa: S311 - a story, not a secret
        groups = [story.groups[name] for name in (STAGING, KUBERNETES, EDGE)]
        jonas = story.people["jonas"]
        releases = Releases(self._crowd, groups, actor=jonas, rng=rng)
        return Life(self._crowd, story.members, releases, self._ending, rng=rng)

    def _history(self) -> Story:
        """The story, told to its end."""
        self._crowd.start()
        story = Story(
            self._clock,
            self._crowd,
            collectors=self._collectors,
            on_call=self._on_call.url,
            say=self._say,
        )
        try:
            story.tell()
            self._leave_the_past()
            story.arrive_in_the_present()
        finally:
            self._leave_the_past()
            connections.close_all()
        return story
