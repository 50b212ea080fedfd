"""Has every message arrived? Sequence numbers, and when to ask for the full state (C2, I1, I2, decision 19)."""

from datetime import datetime, timedelta
from enum import Enum, auto

from agents.snapshot import AgentSnapshot, Transport

QUIET_AFTER_ANSWER = timedelta(seconds=30)
"""After an answer, new gaps of the same session ask no sooner than this (some clients skip and repeat
numbers all the time). Over plain HTTP sessions follow each other, and the time goes on; a new
WebSocket is rare, and what its predecessor had said may have died with a server."""

ASK_AGAIN_AFTER = timedelta(seconds=5)
"""A question that brought no full state is put again. Not in each reply meanwhile: an agent that has much under way
would answer each of them with all it has."""

_LARGEST_STORED = 2**63 - 1


class Fullness(Enum):
    """What a message with an agent description can be, by what it leaves out."""

    COMPLETE = auto()
    """Nothing that the agent says it reports, or that we know it has, is missing."""
    UNCLAIMED = auto()
    """Nothing that we know it has is missing, and it says of nothing that it reports it."""
    PLAUSIBLE = auto()
    """Only things are missing that it says it reports, but that we never had from it."""
    PARTIAL = auto()
    """Something is missing that we know of, or there is no description: an ordinary change."""


class Continuity:
    """Follows one session's sequence numbers.

    A gap makes what we know doubtful. While it is, stored_number is None, so that a crash cannot
    forget it, and should_ask says whether this reply carries ReportFullState.

    A message is taken as the full state when it describes the agent and
    - has number 0: a client starts there, with everything; or
    - something is doubtful, and it is COMPLETE; or
    - it comes after our question and is UNCLAIMED; or
    - it comes after our question and is PLAUSIBLE. Over plain HTTP the message after the question is
      the answer; over a WebSocket changes that were already under way may come first, however many,
      so there an incomplete answer is believed once the question was put again, ASK_AGAIN_AFTER later.
    """

    __slots__ = (
        "_asked",
        "_asked_at",
        "_digest",
        "_doubtful",
        "_goes_back",
        "_hush",
        "_is_polled",
        "_last_posted",
        "_not_before",
        "_number",
        "_questions",
        "_was_asked_before",
        "answer_arrived",
        "answer_was_lost",
        "is_next",
    )

    def __init__(self, known: AgentSnapshot) -> None:
        self._is_polled = known.transport is Transport.HTTP
        self.is_next = False
        """The last message leaves no gap."""
        self.answer_was_lost = False
        """The message is the one before once more: what it says was stored, what it was answered did not arrive."""
        self.answer_arrived = False
        """Over plain HTTP a client goes on to the next number when it has the answer, else it repeats its message. So
        the next number proves that what the answer before carried arrived, an offer too."""
        self._goes_back = False
        self._number = known.sequence_num
        self._last_posted: int | None = None
        """The number of the message before, whether or not all before it came."""
        if self._is_polled:
            self._last_posted = self._number if self._number is not None else known.doubtful_num
        self._digest: int | None = None
        self._doubtful = known.is_new or known.sequence_num is None
        self._asked = False
        self._asked_at: datetime | None = None
        """When it was asked last; None: the next reply asks."""
        self._hush = False
        self._questions = 0
        self._not_before: datetime | None = None
        if known.full_state_at is not None and self._is_polled:
            self._not_before = known.full_state_at + QUIET_AFTER_ANSWER
        self._was_asked_before = (
            self._is_polled
            and self._doubtful
            and not known.is_new
            and known.seen_at is not None
            # In the quiet time after an answer the reply to that message did not ask.
            and (self._not_before is None or known.seen_at >= self._not_before)
        )

    @property
    def is_asked(self) -> bool:
        """True from a question until its answer: nothing is offered meanwhile."""
        return self._asked

    @property
    def stored_number(self) -> int | None:
        """The number to store with the state it covers (I1), None while that is doubtful (I2)."""
        return None if self._doubtful else self.number

    @property
    def doubtful_number(self) -> int | None:
        """The number to store beside the doubt: a message that is posted anew has the same."""
        return self.number if self._doubtful and self._is_polled else None

    @property
    def number(self) -> int | None:
        """The same, doubtful or not."""
        number = self._number
        return None if number is None or number > _LARGEST_STORED else number

    def follows(self, number: int, digest: int) -> bool:
        """Take the next message's number; False when it leaves a gap.

        digest tells messages apart: the last one again is a re-delivery, not a gap. Over plain HTTP its digest
        is gone with the session before, so the same number says that it is posted anew: answer_was_lost.
        """
        last, self._number = self._number, number
        is_first = self._digest is None
        again = number == last and digest == self._digest
        self.is_next = again or (last is not None and number == last + 1)
        self.answer_was_lost = is_first and number == self._last_posted
        if is_first:
            self.answer_arrived = self._is_polled and self.is_next
        self._goes_back = last is not None and number < last
        self._digest = digest
        return self.is_next

    def is_beyond(self, number: int | None) -> bool:
        """Whether the last message has a number above that one, and its client did not start anew."""
        if number is None or self._number is None or self._goes_back:
            return False
        return self._number > number

    def go_on(self, digest: int) -> int:
        """The same for a message that is known to have the next number; answers that."""
        assert self._number is not None
        self._number += 1
        self._digest = digest
        return self._number

    def doubt(self, *, at_once: bool = False) -> None:
        """Something may be missing. at_once: ask in this reply, however short ago an answer was."""
        self._doubtful = True
        if at_once:
            self._not_before = None

    def is_full(self, fullness: Fullness, *, starts: bool) -> bool:
        """Whether a description-bearing message is the full state; starts: it is a client's first."""
        if starts:
            return True
        if not self._doubtful:
            return False
        if fullness is Fullness.COMPLETE or self._is_believable(fullness):
            return True
        if self._asked or self._was_asked_before:
            # It may have been the answer: asking again in its reply could go round and round.
            self._hush = True
        return False

    def settle(self, now: datetime) -> None:
        """The full state has come."""
        if self._asked or self._was_asked_before:
            self._not_before = now + QUIET_AFTER_ANSWER
        self._doubtful = self._asked = self._was_asked_before = False
        self._questions = 0

    def refuse(self, now: datetime) -> None:
        """A message was refused: its content is missing, and asking at once would bring it again."""
        self._doubtful = True
        self._asked = False
        self._not_before = now + QUIET_AFTER_ANSWER

    def miss(self) -> None:
        """The server was too busy to take a message: that is its own doing, so no quiet time holds."""
        self.doubt(at_once=True)
        self._asked_at, self._questions = None, 0

    def should_ask(self, now: datetime) -> bool:
        """Whether this reply carries ReportFullState."""
        hush, self._hush = self._hush, False
        if not self._doubtful or hush:
            return False
        if self._asked:
            if self._asked_at is not None and now < self._asked_at + ASK_AGAIN_AFTER:
                return False
        elif self._not_before is not None and now < self._not_before:
            return False
        self._asked, self._asked_at = True, now
        self._questions += 1
        return True

    def _is_believable(self, fullness: Fullness) -> bool:
        if self._asked:
            return self._questions > 1 or fullness is Fullness.UNCLAIMED
        return self._was_asked_before and fullness is not Fullness.PARTIAL
