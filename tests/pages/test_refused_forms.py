"""A form that Django takes for forged is answered by a page that says what to do."""

from typing import Any

import pytest
from django.test import Client

from telflo.base.access import Role
from telflo.base.models import User
from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person(role=Role.ADMIN))
    return client


def test_a_form_without_its_token_says_to_load_the_page_again(client: Client) -> None:
    answer = client.post("/accounts/profile/", {"first_name": "Eve"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This form was not taken" in page
    assert "load the page again" in page
    assert "Telflo" in page
    assert User.objects.get().first_name == ""


def test_a_form_from_another_address_names_both(client: Client, settings: Any) -> None:
    settings.BASE_URL = "https://telflo.example"
    headers = {"Origin": "https://other.example<i>"}
    page = client.post("/accounts/profile/", {}, headers=headers).content.decode()
    assert "https://other.example&lt;i&gt;" in page
    assert "https://telflo.example" in page
    assert "TELFLO_BASE_URL" in page


def test_signing_in_without_a_cookie_says_so_too() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"username": "x"})
    assert answer.status_code == 403
    assert "cookies" in answer.content.decode()


@pytest.mark.parametrize("path", ["/install/abcdefgh", "/install/abcdefgh/check"])
def test_a_post_to_what_hosts_only_read_is_405(path: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
