"""Tokens: what lets collectors in, for how long, and what ends it (decisions 7 to 9, 12)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from fleets import tokens
from fleets.enrollment import verify_token
from fleets.errors import EnrolmentRefused, TokenRefused
from fleets.models import RefusalReason, Token, TokenKind
from fleets.tokens import Expiry
from telflo.base import clock
from telflo.base.errors import Conflict, DomainError
from telflo.base.hints import RecordingPort
from telflo.base.models import Activity
from tests.factories import TESTER, enrol, make_fleet, make_token

pytestmark = pytest.mark.django_db
Committed = Callable[[], AbstractContextManager[list[Any]]]


def refusal(secret: str) -> RefusalReason:
    with pytest.raises(TokenRefused) as refused:
        verify_token(secret, now=clock.now())
    return refused.value.reason


class TestIssue:
    def test_only_a_hash_and_a_prefix_are_kept(self) -> None:
        issued = make_token(fleet=make_fleet())
        stored = Token.objects.filter(pk=issued.token.pk).values().get()
        assert issued.secret.startswith("tlf_e_")
        assert len(issued.secret) == len("tlf_e_") + 43
        assert issued.secret not in str(stored)
        assert stored["prefix"] == issued.secret[:12]
        assert issued.secret not in repr(issued)
        assert issued.secret not in str(list(Activity.objects.values()))

    @pytest.mark.parametrize(
        ("expires", "days"),
        [
            (Expiry.NEVER, None),
            (Expiry.HALF_YEAR, 180),
            (Expiry.YEAR, 365),
            (Expiry.TWO_YEARS, 730),
        ],
    )
    def test_the_expiry_is_chosen_in_words(self, expires: Expiry, days: int | None) -> None:
        token = make_token(fleet=make_fleet(), expires=expires).token
        until = token.enrol_until and token.enrol_until - token.created_at
        assert until == (timedelta(days=days) if days else None)

    def test_the_expiry_may_be_a_time_but_not_a_past_one(self) -> None:
        fleet, later = make_fleet(), clock.now() + timedelta(hours=1)
        assert make_token(fleet=fleet, expires=later).token.enrol_until == later
        with pytest.raises(DomainError, match="passed already"):
            make_token(fleet=fleet, expires=clock.now() - timedelta(seconds=1))

    def test_every_change_is_in_the_activity_log(self) -> None:
        token = make_token(fleet=make_fleet()).token
        heir = tokens.rotate_token(token=token, overlap=timedelta(days=1), actor=TESTER).token
        tokens.retire_token(token=heir, actor=TESTER, reason="spring cleaning")
        tokens.revoke_token(token=heir, actor=TESTER, reason="leaked")
        actions = Activity.objects.order_by("id").values_list("action", "reason")
        assert list(actions) == [
            ("token.issue", ""),
            ("token.rotate", ""),
            ("token.retire", "spring cleaning"),
            ("token.revoke", "leaked"),
        ]


class TestVerify:
    def test_nothing_and_garbage_are_told_apart(self) -> None:
        assert refusal("") == "missing"
        assert refusal("tlf_e_nosuchtokenatall") == "unknown"

    def test_nothing_of_a_foreign_secret_is_kept(self) -> None:
        with pytest.raises(TokenRefused) as refused:
            verify_token("my-password-for-the-bank", now=clock.now())
        assert refused.value.token_prefix == ""

    def test_the_last_use_is_written_once_a_minute(self, django_assert_num_queries: Any) -> None:
        issued, now = make_token(fleet=make_fleet()), clock.now()
        with django_assert_num_queries(2):
            verify_token(issued.secret, now=now)
        with django_assert_num_queries(1):
            verify_token(issued.secret, now=now + timedelta(seconds=59))
        with django_assert_num_queries(2):
            verify_token(issued.secret, now=now + timedelta(seconds=61))


class TestExpiry:
    def test_expiry_ends_enrolment_only(self) -> None:
        fleet = make_fleet()
        issued = make_token(fleet=fleet, expires=Expiry.HALF_YEAR)
        known = enrol(token=issued)
        later = clock.now() + timedelta(days=181)
        assert enrol(token=issued, uid=known.instance_uid, now=later).epoch == known.epoch + 1
        with pytest.raises(EnrolmentRefused) as refused:
            enrol(token=issued, now=later)
        assert refused.value.reason == "expired"

    def test_a_fleet_may_let_expiry_end_access_too(self) -> None:
        fleet = make_fleet()
        issued = make_token(fleet=fleet, expires=Expiry.HALF_YEAR)
        fleet.expiry_ends_access = True
        fleet.save(update_fields=["expiry_ends_access"])
        with pytest.raises(TokenRefused) as refused:
            verify_token(issued.secret, now=clock.now() + timedelta(days=181))
        assert refused.value.reason == "expired"

    @pytest.mark.parametrize(("left", "days"), [(29, 30), (7, 7), (6, 7), (0.5, 1)])
    def test_people_are_warned_30_and_7_and_1_days_ahead(self, left: float, days: int) -> None:
        now = clock.now()
        fleet = make_fleet()
        soon = make_token(fleet=fleet, expires=now + timedelta(days=left)).token
        make_token(fleet=fleet, expires=now + timedelta(days=31))
        make_token(fleet=fleet, expires=Expiry.NEVER)
        over = make_token(fleet=fleet, expires=now + timedelta(days=left)).token
        tokens.retire_token(token=over, actor=TESTER)
        assert tokens.expiry_warnings(clock.now()) == [tokens.ExpiryWarning(soon, days)]


class TestRotate:
    def test_both_enrol_during_the_overlap_and_only_the_new_one_after_it(self) -> None:
        old = make_token(fleet=make_fleet(), expires=Expiry.YEAR)
        new = tokens.rotate_token(token=old.token, overlap=timedelta(hours=1), actor=TESTER)
        assert new.token.parent == old.token
        assert new.token.enrol_until is not None
        enrol(token=old)
        enrol(token=new)
        later = clock.now() + timedelta(hours=2)
        enrol(token=new, now=later)
        with pytest.raises(EnrolmentRefused) as refused:
            enrol(token=old, now=later)
        assert refused.value.reason == "retired"

    def test_a_successor_has_the_same_name_with_its_generation(self) -> None:
        fleet = make_fleet()

        def heir_of(token: Token) -> Token:
            return tokens.rotate_token(token=token, overlap=timedelta(), actor=TESTER).token

        second = heir_of(make_token(fleet=fleet, name="edge").token)
        third = heir_of(second)
        assert [second.name, third.name] == ["edge (2)", "edge (3)"]
        assert heir_of(make_token(fleet=make_fleet(), name="edge").token).name == "edge (2)"
        west = heir_of(make_token(fleet=fleet, name="edge west").token)
        assert heir_of(west).name == "edge west (3)"
        assert heir_of(third).name == "edge (4)"
        again = make_token(fleet=fleet, name="edge").token
        assert heir_of(again).name == "edge (5)", "two of one name would be taken for each other"
        longest = heir_of(make_token(fleet=fleet, name="x" * 100).token)
        assert longest.name == f"{'x' * 96} (2)"
        assert heir_of(longest).name == f"{'x' * 96} (3)"

    def test_a_token_that_was_rotated_has_no_second_successor(self) -> None:
        token = make_token(fleet=make_fleet()).token
        tokens.rotate_token(token=token, overlap=timedelta(days=1), actor=TESTER)
        with pytest.raises(Conflict, match="rotated already"):
            tokens.rotate_token(token=token, overlap=timedelta(days=1), actor=TESTER)

    def test_a_retired_token_has_no_successor(self) -> None:
        token = make_token(fleet=make_fleet()).token
        tokens.retire_token(token=token, actor=TESTER)
        with pytest.raises(Conflict):
            tokens.rotate_token(token=token, overlap=timedelta(), actor=TESTER)

    def test_a_collector_that_comes_with_the_new_token_no_longer_depends_on_the_old_one(
        self, committed: Committed, hints: RecordingPort
    ) -> None:
        old = make_token(fleet=make_fleet())
        new = tokens.rotate_token(token=old.token, overlap=timedelta(hours=1), actor=TESTER)
        stays, switches = enrol(token=old), enrol(token=old)
        enrol(token=new, uid=switches.instance_uid)
        assert [member.agent_id for member in tokens.members_of(old.token)] == [stays.instance_uid]
        with committed():
            tokens.revoke_token(token=old.token, actor=TESTER)
        closed = [message for _, message in hints.sent if message["type"] == "close_tokens"]
        assert [message["tokens"] for message in closed] == [[old.token.pk.hex]]


class TestRetireAndRevoke:
    def test_a_retired_token_keeps_those_it_enrolled(self) -> None:
        issued = make_token(fleet=make_fleet())
        known = enrol(token=issued)
        tokens.retire_token(token=issued.token, actor=TESTER)
        enrol(token=issued, uid=known.instance_uid)
        with pytest.raises(EnrolmentRefused):
            enrol(token=issued)

    def test_a_revoked_token_is_refused_and_its_connections_are_closed(
        self, committed: Committed, hints: RecordingPort
    ) -> None:
        issued = make_token(fleet=make_fleet())
        enrol(token=issued)
        with committed():
            tokens.revoke_token(token=issued.token, actor=TESTER, reason="leaked")
        assert refusal(issued.secret) == "revoked"
        assert ("gateways", issued.token.pk.hex) in [
            (group, one) for group, message in hints.sent for one in message.get("tokens", ())
        ]
        assert tokens.revoked_among([issued.token.pk]) == {issued.token.pk}

    def test_a_host_token_is_revoked_alone(self) -> None:
        fleet = make_fleet()
        one = make_token(fleet=fleet, kind=TokenKind.HOST)
        two = make_token(fleet=fleet, kind=TokenKind.HOST)
        tokens.revoke_token(token=one.token, actor=TESTER)
        assert refusal(one.secret) == "revoked"
        enrol(token=two)
