"""API tokens, lifetimes, and the commands that make tokens and rotate keys."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from configs.models import ConfigVersion
from telflo.base.api_tokens import issue_api_token, revoke_api_token
from telflo.base.errors import DomainError
from telflo.base.lifetimes import expiry
from telflo.base.models import Activity, ApiToken
from telflo.base.rotation import check_keys
from telflo.base.secrets import hash_secret, new_secret
from tests.factories import TESTER, make_api_token, make_person, make_version

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class TestSecrets:
    def test_a_secret_has_its_kind_in_front_and_is_kept_as_a_hash(self) -> None:
        fresh = new_secret("tlf_u_")
        assert fresh.secret.startswith(fresh.prefix)
        assert fresh.prefix.startswith("tlf_u_")
        assert fresh.secret_hash == hash_secret(fresh.secret)
        assert len({new_secret("x").secret for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("never", None),
        ("180d", NOW + timedelta(days=180)),
        ("1y", NOW + timedelta(days=365)),
        ("12h", NOW + timedelta(hours=12)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_lifetimes_are_read_as_people_write_them(text: str, expected: datetime | None) -> None:
    assert expiry(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "-1d", "0d", "2027-01-31", "2020-01-01T00:00:00Z", "999y"]
)
def test_other_lifetimes_are_refused(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        expiry(text, NOW)
    assert caught.value.field == "expires"


@pytest.mark.django_db
class TestApiTokens:
    def test_the_secret_is_stored_and_logged_nowhere(self) -> None:
        issued = make_api_token()
        assert issued.secret not in str([*ApiToken.objects.values(), *Activity.objects.values()])
        assert issued.secret not in repr(issued)

    def test_an_unknown_scope_is_refused(self) -> None:
        with pytest.raises(DomainError):
            issue_api_token(user=make_person(), name="x", scope="all", actor=TESTER)

    def test_a_token_is_revoked_once(self) -> None:
        token = make_api_token().token
        first = revoke_api_token(token=token, actor=TESTER).revoked_at
        assert revoke_api_token(token=token, actor=TESTER).revoked_at == first
        assert Activity.objects.filter(action="api_token.revoke").count() == 1

    @pytest.mark.parametrize("wrong", [{"name": " "}, {"expires_at": NOW - timedelta(days=999)}])
    def test_a_wrong_wish_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(DomainError):
            make_api_token(**wrong)


@pytest.mark.django_db
class TestCreateApiToken:
    def test_it_prints_the_secret_alone(self) -> None:
        make_person(username="ada")
        out = StringIO()
        call_command("create_api_token", user="ada", scope="write", expires="1y", stdout=out)
        token = ApiToken.objects.get(secret_hash=hash_secret(out.getvalue().strip()))
        assert (token.user.username, token.scope) == ("ada", "write")
        assert token.expires_at is not None

    def test_a_person_who_is_not_there_and_a_wrong_expiry_are_named(self) -> None:
        with pytest.raises(CommandError, match="bob"):
            call_command("create_api_token", user="bob")
        make_person(username="ada")
        with pytest.raises(CommandError, match="soon"):
            call_command("create_api_token", user="ada", expires="soon")


@pytest.mark.django_db
class TestRotation:
    def test_after_it_the_old_key_is_not_needed(self, settings: Settings) -> None:
        old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
        settings.ENCRYPTION_KEYS = [old]
        versions = [make_version(yaml=f"service: # {number}\n") for number in range(3)]
        settings.ENCRYPTION_KEYS = [new, old]
        out = StringIO()
        call_command("rotate_encryption", stdout=out)
        call_command("rotate_encryption", stdout=StringIO())
        assert "configs_configversion.yaml: 3 rows" in out.getvalue()
        settings.ENCRYPTION_KEYS = [new]
        texts = {version.yaml for version in ConfigVersion.objects.all()}
        assert texts == {version.yaml for version in versions}
        settings.ENCRYPTION_KEYS = [old]
        with pytest.raises(ImproperlyConfigured):
            ConfigVersion.objects.first()

    def test_keys_that_open_what_is_stored_pass(self, settings: Settings) -> None:
        check_keys()  # nothing is stored yet
        make_version(yaml="service:\n")
        check_keys()
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
        check_keys()

    def test_well_formed_keys_that_open_nothing_are_noticed(self, settings: Settings) -> None:
        make_version(yaml="service:\n")
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        with pytest.raises(
            ImproperlyConfigured, match=r"^TELFLO_ENCRYPTION_KEYS: none of the keys"
        ):
            check_keys()

    def test_text_at_rest_is_not_readable(self) -> None:
        make_version(yaml="service: # hunter2\n")
        with connection.cursor() as cursor:
            cursor.execute("SELECT yaml FROM configs_configversion")
            assert b"hunter2" not in bytes(cursor.fetchone()[0])
