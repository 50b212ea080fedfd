"""Who may not do something is told which role it takes, and who can give it."""

import pytest

from telflo.base.access import Role
from telflo.base.views.refused import MOST_NAMED
from tests.factories import make_fleet, make_person
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db


def refused(role: Role, path: str) -> str:
    answer = signed_in(role).get(path)
    assert answer.status_code == 403
    return answer.content.decode()


@pytest.mark.parametrize(
    ("role", "path", "words"),
    [
        (Role.VIEWER, "/fleets/edge/assign/", "It takes the role Operator; yours is Viewer."),
        (Role.OPERATOR, "/fleets/new/", "It takes the role Editor; yours is Operator."),
        (Role.EDITOR, "/tokens/new/", "It takes the role Admin; yours is Editor."),
        (Role.EDITOR, "/admin/", "It takes the role Admin; yours is Editor."),
    ],
)
def test_the_page_names_the_role_that_it_takes(role: Role, path: str, words: str) -> None:
    make_fleet(name="edge")
    assert words in refused(role, path)


def test_the_page_names_who_can_give_the_role_and_not_who_cannot() -> None:
    make_person(role=Role.ADMIN, username="maria")
    make_person(role=Role.EDITOR, username="jonas")
    gone = make_person(role=Role.ADMIN, username="gone")
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    html = refused(Role.VIEWER, "/tokens/new/")
    assert "An Admin can give you that role: maria." in html
    assert "jonas" not in html


def test_the_page_names_only_the_first_of_many_admins() -> None:
    for n in range(MOST_NAMED + 1):
        make_person(role=Role.ADMIN, username=f"admin-{n}")
    html = refused(Role.VIEWER, "/tokens/new/")
    assert f"admin-{MOST_NAMED - 1}." in html
    assert f"admin-{MOST_NAMED}" not in html


def test_what_nobody_may_do_is_not_said_to_take_a_role() -> None:
    html = refused(Role.ADMIN, "/admin/base/activity/add/")
    assert "This is not open to anybody." in html
    assert "role" not in html.partition("<h1")[2].partition("</main>")[0]
