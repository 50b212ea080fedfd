"""A person's own page: what people change of themselves is in the activity log."""

import pytest
from django.test import Client

from telflo.base.models import Activity, User
from telflo.base.people import rename_person
from tests.factories import make_person

pytestmark = pytest.mark.django_db
PASSWORD = "a password of some length"
NEW = "four words in a row"


@pytest.fixture
def person() -> User:
    return make_person(username="ada", password=PASSWORD)


@pytest.fixture
def client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_another_name_and_address_are_saved_and_logged(client: Client, person: User) -> None:
    given = {"first_name": "Ada", "last_name": "", "email": "ada@example.com"}
    assert client.post("/accounts/profile/", given).status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.email) == ("Ada", "ada@example.com")
    [entry] = Activity.objects.all()
    assert (entry.action, entry.object_id, entry.actor_label) == (
        "person.update",
        str(person.uid),
        "ada",
    )
    assert entry.before == {"first_name": "", "email": ""}
    assert entry.after == {"first_name": "Ada", "email": "ada@example.com"}


def test_what_stays_as_it_is_is_not_logged(client: Client) -> None:
    given = {"first_name": "", "last_name": "", "email": ""}
    assert client.post("/accounts/profile/", given).status_code == 302
    assert not Activity.objects.exists()


def test_saving_the_name_leaves_alone_what_others_changed_meanwhile(
    client: Client, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The session's middleware has read the person; then an admin changes the role.
    def after_another(**how: object) -> object:
        User.objects.filter(pk=person.pk).update(role="editor")
        return rename_person(**how)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr("telflo.base.views.profile.rename_person", after_another)
    client.post("/accounts/profile/", {"first_name": "Ada", "last_name": "", "email": ""})
    person.refresh_from_db()
    assert (person.first_name, person.role) == ("Ada", "editor")


def test_a_wrong_address_is_said_and_nothing_is_changed(client: Client, person: User) -> None:
    answer = client.post("/accounts/profile/", {"first_name": "Ada", "email": "nobody"})
    assert answer.status_code == 422
    person.refresh_from_db()
    assert person.first_name == ""
    assert not Activity.objects.exists()


def test_another_password_is_logged_and_ends_other_sessions(client: Client, person: User) -> None:
    other = Client()
    other.force_login(person)
    given = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/accounts/password/", given).status_code == 302
    assert User.objects.get().check_password(NEW)
    assert Activity.objects.get().action == "person.change_password"
    assert client.get("/accounts/profile/").status_code == 200
    assert other.get("/accounts/profile/").status_code == 302
