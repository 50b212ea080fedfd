"""Who may speak to the OpAMP endpoint: bearer tokens, and a short memory of answers."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from opamp.errors import ConnectionRefused
from opamp.ports import Credential
from telflo.base.outage import Outage

logger = logging.getLogger(__name__)

T = TypeVar("T")
Headers = Iterable[tuple[bytes, bytes]]

REFUSAL_MISSING: Final = "missing"
"""fleets.models.RefusalReason.MISSING: the only refusal that is made here."""

_REMEMBERED: Final = 10_000
_TOKEN_LENGTH: Final = 512
_TOKEN_START: Final = "tlf_"
_PREFIX_LENGTH: Final = 12
"""fleets.tokens.PREFIX_LENGTH: what people may see of a token."""


def header(headers: Headers, name: bytes) -> str:
    """The first value of a header (names as ASGI has them, lower case), or ""."""
    return next((value.decode("latin-1").strip() for key, value in headers if key == name), "")


def bearer_secret(headers: Headers) -> str:
    """The secret of `Authorization: Bearer`. Raises ConnectionRefused when there is none.

    Of a token that comes without its scheme the start is told, so that people see what is wrong.
    """
    value = header(headers, b"authorization")
    scheme, _, secret = value.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > _TOKEN_LENGTH:
        raise ConnectionRefused(
            REFUSAL_MISSING,
            text="Send the enrolment token as `Authorization: Bearer <token>`.",
            token_prefix=value[:_PREFIX_LENGTH] if value.startswith(_TOKEN_START) else "",
        )
    return secret


@dataclass(frozen=True, slots=True)
class _Answer:
    until_s: float
    credential: Credential | None
    refusal: ConnectionRefused | None


class TokenVerifier:
    """Asks the domain who holds a token, and remembers the answer, yes or no, for a few seconds.

    A fleet that comes back all at once with one token asks once. Secrets are kept as hashes only.
    """

    def __init__(
        self, verify: Callable[[str], Awaitable[Credential]], *, remember_s: float = 5.0
    ) -> None:
        self._verify = verify
        self._remember_s = remember_s
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._asking: dict[bytes, asyncio.Future[_Answer]] = {}
        self.generation = 0
        """Another number after each revocation."""
        self.asking = Outage(logger, "A token could not be checked.")

    @property
    def waiting(self) -> int:
        """How many questions are open."""
        return len(self._asking)

    async def verify(self, secret: str) -> Credential:
        """Who holds the secret. Raises ConnectionRefused, or what the domain raises when it cannot say."""
        key = key_of(secret)
        answer = self._answers.get(key)
        if answer is None or answer.until_s < asyncio.get_running_loop().time():
            generation = self.generation
            answer = await self._ask(key, secret)
            while generation != self.generation:  # a token was revoked meanwhile, perhaps this one
                generation = self.generation
                answer = await self._ask(key, secret)
        if answer.refusal is not None:
            # A new one for each peer: a raised exception collects its traceback.
            known = answer.refusal
            raise ConnectionRefused(known.reason, text=known.text, token_prefix=known.token_prefix)
        assert answer.credential is not None
        return answer.credential

    def was_good(self, secret: str) -> bool:
        """Whether it let someone in when this process asked last, however long ago."""
        return key_of(secret) in self._good

    def forget(self) -> None:
        """Forget every answer, those under way too: a token was revoked."""
        self._answers.clear()
        self.generation += 1

    async def _ask(self, key: bytes, secret: str) -> _Answer:
        asked = self._asking.get(key)
        if asked is None:
            asked = self._asking[key] = asyncio.ensure_future(self._answer(key, secret))
        return await asyncio.shield(asked)

    async def _answer(self, key: bytes, secret: str) -> _Answer:
        until_s = asyncio.get_running_loop().time() + self._remember_s
        generation = self.generation
        try:
            answer = _Answer(until_s, await self._verify(secret), None)
            _remember(self._good, key, None)
        except ConnectionRefused as refusal:
            answer = _Answer(until_s, None, refusal)
            self._good.pop(key, None)
        finally:
            del self._asking[key]
        self.asking.works()
        if generation != self.generation:
            return answer
        _remember(self._answers, key, answer)
        return answer


def key_of(secret: str) -> bytes:
    """What stands for a secret in memory."""
    return hashlib.sha256(secret.encode()).digest()


def _remember(memory: OrderedDict[bytes, T], key: bytes, value: T) -> None:
    """Keep the newest."""
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
