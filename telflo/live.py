"""/ws/live/: tells open pages that something they show changed. The page then fetches it as usual.

The page sends `{"subscribe": ["fleet:<id>", …]}` (the whole list, each time); the server sends
`{"topic": …, "seq": …}`, at most once a second and topic.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from channels.generic.websocket import AsyncWebsocketConsumer

from telflo.base.access import Action, may
from telflo.base.hints import UI

TOPIC: Final = re.compile(
    r"(overview|system|agents|fleets|rollouts|tokens|activity|configurations"
    r"|(agent|fleet|rollout|deployment|configuration):[0-9a-fA-F-]{32,36})"
)
MOST_TOPICS: Final = 200
MOST_TEXT: Final = 16 * 1024
EVERY_S: Final = 1.0

_BAD_REQUEST: Final = 4400
_NOT_SIGNED_IN: Final = 4401


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open page of a person who is signed in."""

    groups = (UI,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._topics: frozenset[str] = frozenset()
        self._changed: set[str] = set()
        self._seq = 0
        self._telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Let people in who may see pages."""
        if may(self.scope.get("user"), Action.VIEW):
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
            changed, self._changed = self._changed, set()
            for topic in sorted(changed):
                self._seq += 1
                await self.send(text_data=json.dumps({"topic": topic, "seq": self._seq}))
            await asyncio.sleep(EVERY_S)


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
