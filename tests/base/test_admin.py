"""The Django admin shows base and configs, masked, and changes nothing but tokens' lives."""

import pytest
from django.test import Client
from django.urls import reverse

from telflo.base.access import Role
from telflo.base.models import Activity, ApiToken, User
from tests.factories import make_api_token, make_person, make_version

pytestmark = pytest.mark.django_db

PASSWORD = "a password of some length"
LISTS = [
    "base_user",
    "base_apitoken",
    "base_activity",
    "configs_configuration",
    "configs_configversion",
]


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_person(role=Role.ADMIN, password=PASSWORD))
    return client


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_for_admins_and_cannot_be_added_to(admin: Client, name: str) -> None:
    make_version()
    make_api_token()
    assert admin.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert admin.get(reverse(f"admin:{name}_add")).status_code == 403


def test_the_text_of_a_version_is_masked(admin: Client) -> None:
    version = make_version(yaml="exporters:\n  x: {token: hunter2}\n")
    page = admin.get(reverse("admin:configs_configversion_change", args=[version.pk]))
    assert "hunter2" not in page.content.decode()
    assert "token: &lt;redacted&gt;" in page.content.decode()


def test_a_row_cannot_be_changed_or_deleted(admin: Client) -> None:
    version = make_version()
    for step in ("change", "delete"):
        address = reverse(f"admin:configs_configversion_{step}", args=[version.pk])
        assert admin.post(address, {"note": "x", "post": "yes"}).status_code == 403


def test_tokens_show_no_hash_and_are_revoked_through_the_service(admin: Client) -> None:
    token = make_api_token().token
    page = admin.get(reverse("admin:base_apitoken_change", args=[token.pk]))
    assert token.secret_hash not in page.content.decode()
    chosen = {"action": "revoke", "_selected_action": [str(token.pk)]}
    admin.post(reverse("admin:base_apitoken_changelist"), chosen)
    assert ApiToken.objects.get(pk=token.pk).revoked_at
    assert Activity.objects.filter(action="api_token.revoke").exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
def test_others_do_not_get_in(role: Role) -> None:
    client = Client()
    client.force_login(make_person(role=role))
    assert client.get("/admin/", follow=False).status_code in {302, 403}
    assert client.get(reverse("admin:base_user_changelist")).status_code in {302, 403}


def test_ones_own_password_is_changed_on_the_profile_page_alone(admin: Client) -> None:
    given = {
        "old_password": PASSWORD,
        "new_password1": "four words in a row",
        "new_password2": "four words in a row",
    }
    before = User.objects.get().password
    for answer in (
        admin.get("/admin/password_change/"),
        admin.post("/admin/password_change/", given),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/profile/")
    assert User.objects.get().password == before
