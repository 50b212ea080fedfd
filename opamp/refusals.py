"""Who is refused: held back when that happens too often, counted, and written down a little later (decision 13)."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from opamp.errors import AgentRefused, ConnectionRefused
from opamp.options import GatewayOptions
from opamp.ports import Credential, Refusal
from opamp.throttle import OF_AGENT, OF_SECRET, RefusalThrottle, sender_of
from telflo.base.clock import now

logger = logging.getLogger(__name__)

USER_AGENT_LENGTH: Final = 200


class Refusals:
    """Those of one process: of secrets that are nobody's, by their address; of those of tokens that let nobody in any
    more, each by itself; and of agents that come by a good credential.
    """

    def __init__(self, options: GatewayOptions) -> None:
        throttle = partial(
            RefusalThrottle, options.refusals_per_minute, retry_after=options.retry_after
        )
        self._pause_s = options.refusals_s
        self._of_address, self._of_agent = throttle(), throttle(text=OF_AGENT)
        self._of_secret = throttle(text=OF_SECRET)
        self.log = RefusalLog()

    @property
    def turned_away(self) -> int:
        """How many attempts were not looked at since the start."""
        throttles = (self._of_address, self._of_secret, self._of_agent)
        return sum(one.turned_away for one in throttles)

    def check_address(self, address: str) -> None:
        """Raises TooMany when attempts from this address were refused too often."""
        self._of_address.check(sender_of(address))

    def check_secret(self, key: bytes, *, address: str) -> None:
        """Raises TooMany when this secret, which stands behind `key`, was refused too often from this address."""
        self._of_secret.check((sender_of(address), key))

    def count_secret(self, refusal: ConnectionRefused, key: bytes, *, address: str) -> None:
        """A secret was refused. One of a token here keeps nobody else out who shares the address."""
        if refusal.names_token:
            self._of_secret.count((sender_of(address), key))

    def check_agent(self, uid: UUID, *, credential: Credential, address: str) -> None:
        """Raises TooMany when this agent was refused too often with this credential."""
        self._of_agent.check((sender_of(address), credential.id, uid))

    def add(
        self, refusal: ConnectionRefused, *, address: str, transport: str, user_agent: str
    ) -> None:
        """Count a refused attempt; it is stored a little later."""
        if not refusal.names_token:
            self._of_address.count(sender_of(address))
        self.log.add(refusal, address=address, transport=transport, user_agent=user_agent, at=now())

    def add_agent(
        self,
        refusal: AgentRefused,
        uid: UUID,
        *,
        credential: Credential,
        address: str,
        transport: str,
        user_agent: str,
    ) -> None:
        """The same of an agent that may not come in by a good credential."""
        self._of_agent.count((sender_of(address), credential.id, uid))
        self.log.add(
            ConnectionRefused(refusal.reason, text=refusal.text, token_prefix=credential.prefix),
            address=address,
            transport=transport,
            user_agent=user_agent,
            at=now(),
        )

    async def keep_storing(self, store: Callable[[Sequence[Refusal]], Awaitable[None]]) -> None:
        """For ever: hand over what was counted; what could not be stored waits on."""
        while True:
            await asyncio.sleep(self._pause_s)
            if refusals := self.log.take():
                try:
                    await store(refusals)
                except Exception:
                    self.log.put_back(refusals)
                    logger.warning("Refused attempts could not be stored yet.", exc_info=True)


class RefusalLog:
    """Refused attempts since the last flush, counted per token prefix, address and reason (decision 13)."""

    def __init__(self, *, most: int = 1_000) -> None:
        self._most = most
        self._waiting: dict[tuple[str, str, str], Refusal] = {}
        self.by_reason: Counter[str] = Counter()
        """All attempts since the start."""
        self.dropped = 0
        """How many attempts of new kinds did not fit since the start."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self,
        refused: ConnectionRefused,
        *,
        address: str,
        transport: str,
        user_agent: str,
        at: datetime,
    ) -> None:
        """Count one attempt."""
        self.by_reason[refused.reason] += 1
        key = (refused.token_prefix, address, refused.reason)
        agent = user_agent[:USER_AGENT_LENGTH]
        self._keep(Refusal(*key, transport=transport, user_agent=agent, at=at))

    def put_back(self, taken: Iterable[Refusal]) -> None:
        """What could not be stored waits on, beside what came meanwhile."""
        for refusal in taken:
            self._keep(refusal)

    def _keep(self, refusal: Refusal) -> None:
        key = (refusal.token_prefix, refusal.address, refusal.reason)
        known = self._waiting.get(key)
        if known is not None:
            at = max(known.at, refusal.at)
            self._waiting[key] = replace(known, count=known.count + refusal.count, at=at)
        elif len(self._waiting) >= self._most:
            self.dropped += refusal.count
        else:
            self._waiting[key] = refusal

    def take(self) -> list[Refusal]:
        """Remove and answer everything."""
        taken, self._waiting = list(self._waiting.values()), {}
        return taken
