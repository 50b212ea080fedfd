"""Tokens of the upgrade request, and the bounded list of refusals."""

from datetime import UTC, datetime

import pytest

from opamp.auth import TokenVerifier, bearer_secret
from opamp.errors import ConnectionRefused
from opamp.ports import Credential
from opamp.refusals import RefusalLog

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", [b"Bearer tlf_e_x", b"bearer  tlf_e_x "])
def test_the_secret_is_read_from_a_bearer_header(value: bytes) -> None:
    assert bearer_secret([(b"authorization", value)]) == "tlf_e_x"


@pytest.mark.parametrize("value", [b"", b"Basic tlf_e_x", b"Bearer", b"Bearer " + b"x" * 600])
def test_anything_else_is_refused_with_a_hint(value: bytes) -> None:
    with pytest.raises(ConnectionRefused, match="Authorization: Bearer"):
        bearer_secret([(b"authorization", value)])


@pytest.mark.parametrize(
    ("value", "prefix"), [(b"tlf_e_abcdefghijkl", "tlf_e_abcdef"), (b"hunter2", ""), (b"", "")]
)
def test_a_token_without_its_scheme_is_known_by_its_start(value: bytes, prefix: str) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        bearer_secret([(b"authorization", value)])
    assert caught.value.token_prefix == prefix
    assert not caught.value.names_token, "it may be anybody's guess"


class Asked:
    def __init__(self) -> None:
        self.secrets: list[str] = []

    async def __call__(self, secret: str) -> Credential:
        self.secrets.append(secret)
        if secret == "bad":
            raise ConnectionRefused("unknown", text="no")
        return Credential(None, secret)


async def test_yes_and_no_are_remembered_for_a_while() -> None:
    asked = Asked()
    verifier = TokenVerifier(asked, remember_s=60)
    for _ in range(2):
        assert (await verifier.verify("good")).prefix == "good"
        with pytest.raises(ConnectionRefused):
            await verifier.verify("bad")
    assert asked.secrets == ["good", "bad"]


async def test_an_answer_is_forgotten_when_a_token_is_revoked_or_time_passes() -> None:
    asked = Asked()
    verifier = TokenVerifier(asked, remember_s=60)
    await verifier.verify("good")
    verifier.forget()
    await verifier.verify("good")
    brief = TokenVerifier(asked, remember_s=-1)
    await brief.verify("good")
    await brief.verify("good")
    assert len(asked.secrets) == 4


async def test_what_is_asked_while_tokens_are_revoked_is_asked_again_until_none_is() -> None:
    revocations = [1, 2]
    secrets: list[str] = []

    async def ask(secret: str) -> Credential:
        secrets.append(secret)
        if len(secrets) <= len(revocations):
            verifier.forget()
        if len(secrets) > len(revocations):
            raise ConnectionRefused("revoked", text="no")
        return Credential(None, secret)

    verifier = TokenVerifier(ask)
    with pytest.raises(ConnectionRefused):
        await verifier.verify("good")
    assert len(secrets) == 3


async def test_a_database_that_is_away_is_said_once_until_it_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_away = True

    async def ask(secret: str) -> Credential:
        if is_away:
            raise OSError("away")
        return Credential(None, secret)

    verifier = TokenVerifier(ask, remember_s=-1)
    for is_away in (True, True, False, True):  # noqa: B007 - read by ask
        try:
            await verifier.verify("good")
        except OSError as error:
            verifier.asking.failed(error)
    assert [record.getMessage() for record in caplog.records] == [
        "A token could not be checked. OSError: away",
        "A token could not be checked. OSError: away",
    ]


def test_a_flood_of_refusals_takes_bounded_room() -> None:
    log = RefusalLog(most=10)
    refused = ConnectionRefused("unknown", text="no", token_prefix="tlf_e_x")
    for n in range(50):
        log.add(refused, address=f"192.0.2.{n}", transport="ws", user_agent="x" * 999, at=NOW)
    assert len(log) == 10
    assert log.dropped == 40
    assert {len(refusal.user_agent) for refusal in log.take()} == {200}
    assert len(log) == 0
