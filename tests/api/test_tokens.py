"""/fleets/{id}/tokens/ and /tokens/."""

import pytest

from fleets.models import Token
from telflo.base.models import IdempotencyRecord
from tests.api.caller import caller
from tests.factories import make_fleet, make_token

pytestmark = pytest.mark.django_db


def test_the_secret_is_in_the_one_answer_and_no_cache_keeps_it() -> None:
    make_fleet(name="edge")
    call = caller()
    answer = call("POST", "fleets/edge/tokens/", {"name": "build", "expires": "2y"})
    assert answer.status == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    secret = answer.body["secret"]
    assert secret.startswith("tlf_e_")
    assert answer.body["state"] == "active"
    assert secret not in call("GET", "fleets/edge/tokens/").text
    assert secret not in call("GET", f"tokens/{answer.body['id']}/").text


def test_a_replay_answers_without_the_secret_and_makes_nothing() -> None:
    make_fleet(name="edge")
    call = caller()
    body = {"name": "build", "expires": "never"}
    first = call("POST", "fleets/edge/tokens/", body, Idempotency_Key="k1")
    again = call("POST", "fleets/edge/tokens/", body, Idempotency_Key="k1")
    assert again.status == 201
    assert again.body == {key: value for key, value in first.body.items() if key != "secret"}
    assert Token.objects.count() == 1
    assert first.body["secret"] not in str(IdempotencyRecord.objects.get().body)


@pytest.mark.parametrize("expires", ["soon", "2001-01-01T00:00:00Z", "2027-01-01"])
def test_an_expiry_that_is_none_is_said_at_its_field(expires: str) -> None:
    make_fleet(name="edge")
    answer = caller()("POST", "fleets/edge/tokens/", {"name": "build", "expires": expires})
    assert answer.problem(422)["errors"][0]["pointer"] == "/expires"


def test_an_instant_is_an_expiry() -> None:
    make_fleet(name="edge")
    body = {"name": "build", "expires": "2099-01-01T00:00:00Z"}
    answer = caller()("POST", "fleets/edge/tokens/", body)
    assert answer.body["enrol_until"] == "2099-01-01T00:00:00Z"


def test_rotate_retire_and_revoke() -> None:
    token = make_token(fleet=make_fleet(name="edge")).token
    call = caller()
    heir = call("POST", f"tokens/{token.pk}/rotate/", {"overlap_seconds": 3600})
    assert heir.status == 201
    assert heir.body["replaces"] == str(token.pk)
    assert heir.body["secret"]
    call("POST", f"tokens/{token.pk}/rotate/", {}).problem(409)
    assert call("POST", f"tokens/{token.pk}/retire/", {}).body["state"] == "retired"
    revoked = call("POST", f"tokens/{token.pk}/revoke/", {"reason": "leaked"})
    assert (revoked.body["state"], revoked.body["revoked_reason"]) == ("revoked", "leaked")
