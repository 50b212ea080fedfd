"""/ws/live/: tells open pages that something they show changed. The page then fetches it as usual.

The page sends `{"subscribe": ["fleet:<id>", …]}` (the whole list, each time); the server sends
`{"topic": …, "seq": …}`, at most once a second and topic.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.http import HttpRequest

from telflo.base.access import Action, may
from telflo.base.hints import UI

TOPIC: Final = re.compile(
    r"(overview|system|notices|agents|fleets|rollouts|tokens|activity|configurations"
    r"|(agent|fleet|rollout|deployment|configuration|draft):[0-9a-fA-F-]{32,36})"
)
MOST_TOPICS: Final = 200
MOST_TEXT: Final = 16 * 1024
EVERY_S: Final = 1.0
LOOK_AGAIN_S: Final = 30.0
"""So long after it was looked up a person is taken to be signed in still."""

_BAD_REQUEST: Final = 4400
_NOT_SIGNED_IN: Final = 4401


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open page of a person who is signed in."""

    groups = (UI,)

    def __init__(
        self,
        *args: Any,
        is_signed_in: Callable[[str], Awaitable[bool]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._is_signed_in = is_signed_in or database_sync_to_async(has_session)
        self._sure_until_s = 0.0
        self._topics: frozenset[str] = frozenset()
        self._changed: set[str] = set()
        self._seq = 0
        self._telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Let people in who may see pages."""
        if may(self.scope.get("user"), Action.VIEW):
            self._sure_until_s = _now_s() + LOOK_AGAIN_S
            await self.accept()
        else:
            await self.close(code=_NOT_SIGNED_IN)

    async def disconnect(self, code: int) -> None:
        """The page is gone."""
        del code
        if self._telling is not None:
            self._telling.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the list of topics."""
        del bytes_data
        topics = _topics(text_data)
        if topics is None:
            await self.close(code=_BAD_REQUEST)
        elif not await self._may_listen():
            await self.close(code=_NOT_SIGNED_IN)
        else:
            self._topics = topics

    async def touch(self, event: Mapping[str, Any]) -> None:
        """A message of telflo.base.hints.touch()."""
        self._changed |= self._topics.intersection(event["topics"])
        if self._changed and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Send what changed at once, then what changes while a second goes by, and so on."""
        while self._changed:
            if not await self._may_listen():
                await self.close(code=_NOT_SIGNED_IN)
                return
            changed, self._changed = self._changed, set()
            for topic in sorted(changed):
                self._seq += 1
                await self.send(text_data=json.dumps({"topic": topic, "seq": self._seq}))
            await asyncio.sleep(EVERY_S)

    async def _may_listen(self) -> bool:
        """Whether the person is signed in still. A database that is away says neither: it is asked again."""
        if _now_s() < self._sure_until_s:
            return True
        try:
            is_in = await self._is_signed_in(_session_key(self.scope))
        except DatabaseError:
            return True
        self._sure_until_s = _now_s() + LOOK_AGAIN_S
        return is_in


def has_session(key: str) -> bool:
    """Whether a session is still one of a person who may see pages: not ended, nor disabled, nor of an old password."""
    request = HttpRequest()
    request.session = SessionStore(key)
    return may(get_user(request), Action.VIEW)


def _session_key(scope: Mapping[str, Any]) -> str:
    session = scope.get("session")
    return (session.session_key if session is not None else None) or ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _topics(text: str | None) -> frozenset[str] | None:
    """The topics of a subscribe message; None when it is not one."""
    if text is None or len(text) > MOST_TEXT:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    names = message.get("subscribe") if isinstance(message, dict) else None
    if not isinstance(names, list) or len(names) > MOST_TOPICS:
        return None
    if not all(isinstance(name, str) and TOPIC.fullmatch(name) for name in names):
        return None
    return frozenset(names)
