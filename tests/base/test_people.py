"""People join by a link, come back by a link, and the last Admin stays."""

from datetime import timedelta

import pytest

from telflo.base import clock
from telflo.base.access import Action, Role, may
from telflo.base.errors import Conflict, DomainError
from telflo.base.models import AccountLink, Activity, User
from telflo.base.people import (
    DeadLink,
    LastAdmin,
    accept_link,
    disable_person,
    enable_person,
    invite_person,
    person_of_link,
    reset_person,
    set_role,
)
from tests.factories import TESTER, make_person

pytestmark = pytest.mark.django_db
PASSWORD = "four words in a row"


class TestLinks:
    def test_an_invited_person_sets_a_password_once(self) -> None:
        issued = invite_person(username="ada", role="editor", actor=TESTER)
        assert not issued.person.has_usable_password()
        assert person_of_link(issued.secret) == issued.person
        person = accept_link(secret=issued.secret, password=PASSWORD)
        assert person.check_password(PASSWORD)
        with pytest.raises(DeadLink, match="used"):
            accept_link(secret=issued.secret, password=PASSWORD)

    def test_the_secret_is_stored_nowhere(self) -> None:
        issued = invite_person(username="ada", actor=TESTER)
        stored = str([*AccountLink.objects.values(), *Activity.objects.values()])
        assert issued.secret not in stored
        assert issued.secret not in repr(issued)

    def test_a_weak_password_leaves_the_link_alive(self) -> None:
        issued = invite_person(username="ada", actor=TESTER)
        with pytest.raises(DomainError) as caught:
            accept_link(secret=issued.secret, password="short")
        assert caught.value.field == "password"
        accept_link(secret=issued.secret, password=PASSWORD)

    def test_a_link_dies_after_seven_days(self) -> None:
        issued = invite_person(username="ada", actor=TESTER)
        lifetime = issued.expires_at - clock.now()
        assert timedelta(days=6, hours=23) < lifetime <= timedelta(days=7)
        AccountLink.objects.update(expires_at=clock.now())
        with pytest.raises(DeadLink, match="expired"):
            person_of_link(issued.secret)

    def test_a_new_link_ends_the_old_one_and_so_does_a_disabled_person(self) -> None:
        first = invite_person(username="ada", actor=TESTER)
        second = reset_person(person=first.person, actor=TESTER)
        with pytest.raises(DeadLink):
            person_of_link(first.secret)
        disable_person(person=first.person, actor=TESTER)
        with pytest.raises(DeadLink, match="disabled"):
            accept_link(secret=second.secret, password=PASSWORD)
        with pytest.raises(Conflict):
            reset_person(person=first.person, actor=TESTER)

    def test_an_unknown_link_says_so(self) -> None:
        with pytest.raises(DeadLink, match="not known"):
            person_of_link("x")


class TestNames:
    @pytest.mark.parametrize("name", ["", "a b", "x" * 151, "a/b"])
    def test_a_name_that_is_none_is_refused(self, name: str) -> None:
        with pytest.raises(DomainError) as caught:
            invite_person(username=name, actor=TESTER)
        assert caught.value.field == "username"

    def test_a_name_is_used_once_in_any_case(self) -> None:
        make_person(username="ada")
        with pytest.raises(DomainError, match="in use"):
            invite_person(username="Ada", actor=TESTER)

    def test_an_unknown_role_is_refused(self) -> None:
        with pytest.raises(DomainError):
            invite_person(username="ada", role="emperor", actor=TESTER)
        assert not User.objects.exists()


class TestRoles:
    def test_the_flags_of_djangos_admin_follow_the_role(self) -> None:
        make_person(role=Role.ADMIN)
        person = set_role(person=make_person(), role="admin", actor=TESTER)
        assert (person.is_staff, person.is_superuser) == (True, True)
        person = set_role(person=person, role="viewer", actor=TESTER)
        assert (person.is_staff, person.is_superuser) == (False, False)
        assert not may(person, Action.EDIT)

    def test_the_last_active_admin_stays_one(self) -> None:
        admin = make_person(role=Role.ADMIN)
        disable_person(person=make_person(role=Role.ADMIN), actor=TESTER)
        with pytest.raises(LastAdmin):
            set_role(person=admin, role="editor", actor=TESTER)
        with pytest.raises(LastAdmin):
            disable_person(person=admin, actor=TESTER)
        set_role(person=make_person(), role="admin", actor=TESTER)
        disable_person(person=admin, actor=TESTER)

    def test_a_disabled_person_may_nothing_until_enabled(self) -> None:
        person = disable_person(person=make_person(role=Role.EDITOR), actor=TESTER)
        assert not may(person, Action.VIEW)
        assert may(enable_person(person=person, actor=TESTER), Action.EDIT)

    def test_every_step_is_in_the_log(self) -> None:
        person = invite_person(username="ada", actor=TESTER).person
        set_role(person=person, role="editor", actor=TESTER)
        disable_person(person=person, actor=TESTER)
        enable_person(person=person, actor=TESTER)
        accept_link(secret=reset_person(person=person, actor=TESTER).secret, password=PASSWORD)
        assert list(Activity.objects.order_by("id").values_list("action", flat=True)) == [
            "person.invite",
            "person.set_role",
            "person.disable",
            "person.enable",
            "person.reset",
            "person.accept_invite",
        ]
