"""The pages of tokens, and tokens in the Django admin."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fleets.models import RefusalReason, Token, TokenKind
from fleets.token_state import TokenState, token_state
from fleets.tokens import Expiry
from telflo.base.access import Role
from telflo.base.models import Activity
from telflo.base.secrets import hash_secret
from tests.factories import enrol, make_fleet, make_refusal, make_token
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db


def test_a_new_token_is_shown_in_the_answer_and_never_again() -> None:
    make_fleet(name="edge")
    client = signed_in(Role.ADMIN)
    answer = client.post("/tokens/new/", {"fleet": "edge", "name": "image build", "expires": "2y"})
    secret = answer.context["issued"].secret
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert secret in answer.content.decode()
    html = client.get("/tokens/").content.decode()
    assert "image build" in html
    assert secret not in html


@pytest.mark.parametrize(
    ("settings_given", "endpoint"),
    [
        ({}, "ws://testserver/v1/opamp"),
        ({"BASE_URL": "https://telflo.example"}, "wss://telflo.example/v1/opamp"),
        (
            {"BASE_URL": "https://telflo.example", "OPAMP_URL": "wss://opamp.example"},
            "wss://opamp.example/v1/opamp",
        ),
    ],
)
def test_a_secret_comes_with_the_endpoint_that_it_opens(
    settings: Any, settings_given: dict[str, str], endpoint: str
) -> None:
    for name, value in settings_given.items():
        setattr(settings, name, value)
    token = make_token(fleet=make_fleet(name="edge")).token
    client = signed_in(Role.ADMIN)
    for path, form in {
        "/fleets/new/": {"name": "west", "arrival_mode": "observed", "expires": "never"},
        "/tokens/new/": {"fleet": "edge", "name": "image build", "expires": "2y"},
        f"/tokens/{token.pk}/rotate/": {"overlap_seconds": "86400"},
    }.items():
        html = client.post(path, form).content.decode()
        assert f"endpoint: &#x27;{endpoint}&#x27;\n" in html, path
        assert "&#x27;Bearer ${env:TELFLO_TOKEN}&#x27;" in html, path
        assert "accepts_opamp_connection_settings: true" in html, path
        assert f'<code class="whitespace-normal break-all">http{endpoint[2:]}</code>' in html, path


def test_a_server_that_only_its_own_machine_reaches_says_so_beside_a_secret() -> None:
    make_fleet(name="edge")
    client = signed_in(Role.ADMIN)
    form = {"fleet": "edge", "name": "image build", "expires": "2y"}
    here = client.post("/tokens/new/", form, headers={"host": "127.0.0.1"}).content.decode()
    assert "Only this machine reaches http://127.0.0.1" in here
    there = client.post("/tokens/new/", {**form, "name": "another"}).content.decode()
    assert "Only this machine" not in there


def test_rotating_says_where_collectors_are_sent(settings: Any) -> None:
    """An offer is followed without a try: a wrong address, or a CA that is not told, would lose them."""
    page = f"/tokens/{make_token(fleet=make_fleet()).token.pk}/rotate/"
    settings.BASE_URL, settings.OPAMP_URL, settings.CA_FILE = "", "", ""
    client = signed_in(Role.ADMIN)
    assert "until then none is" in client.get(page).content.decode()
    settings.OPAMP_URL, settings.CA_FILE = "wss://opamp.example/v1/opamp", "/etc/ca.pem"
    shown = client.get(page).content.decode()
    assert "wss://opamp.example/v1/opamp" in shown
    assert "the CA of TELFLO_CA_FILE" in shown


def test_a_viewer_sees_the_list_and_can_change_nothing() -> None:
    token = make_token(fleet=make_fleet(name="edge"), name="build").token
    client = signed_in(Role.VIEWER)
    html = client.get("/tokens/").content.decode()
    assert "build" in html
    assert "Rotate" not in html
    for path in ("new/", f"{token.pk}/rotate/", f"{token.pk}/retire/", f"{token.pk}/revoke/"):
        assert client.get(f"/tokens/{path}").status_code == 403
        assert client.post(f"/tokens/{path}").status_code == 403


def test_rotating_shows_the_second_secret_and_keeps_the_first_for_the_overlap() -> None:
    token = make_token(fleet=make_fleet(name="edge"), name="build").token
    answer = signed_in(Role.ADMIN).post(f"/tokens/{token.pk}/rotate/", {"overlap_seconds": "86400"})
    assert answer.context["issued"].secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    token.refresh_from_db()
    assert token_state(token, timezone.now()) is TokenState.EXPIRES_SOON
    assert token.children.get().name == "build (2)"
    html = signed_in(Role.VIEWER).get("/tokens/").content.decode()
    assert "build (2)</td>" in html


def test_revoking_says_how_many_lose_the_server_and_records_why() -> None:
    issued = make_token(fleet=make_fleet(name="edge"), name="build")
    enrol(token=issued)
    enrol(token=issued)
    client = signed_in(Role.ADMIN)
    path = f"/tokens/{issued.token.pk}/revoke/"
    assert "2 collectors lose the server and keep running" in client.get(path).content.decode()
    client.post(path, {"reason": "leaked"})
    issued.token.refresh_from_db()
    assert issued.token.revoked_reason == "leaked"
    assert Activity.objects.get(action="token.revoke").reason == "leaked"


def test_retiring_keeps_the_collectors() -> None:
    issued = make_token(fleet=make_fleet(name="edge"), name="build")
    enrol(token=issued)
    client = signed_in(Role.ADMIN)
    path = f"/tokens/{issued.token.pk}/retire/"
    assert "1 collector that it let in stays" in client.get(path).content.decode()
    client.post(path)
    issued.token.refresh_from_db()
    assert token_state(issued.token, timezone.now()) is TokenState.RETIRED


def test_tokens_are_found_by_state_kind_and_words() -> None:
    fleet = make_fleet(name="edge")
    make_token(fleet=fleet, name="alive")
    make_token(fleet=fleet, name="on a host", kind=TokenKind.HOST)
    # No word that an id could hold.
    lost = make_token(fleet=fleet, name="lost").token
    Token.objects.filter(pk=lost.pk).update(revoked_at=timezone.now())
    client = signed_in(Role.VIEWER)

    def shown(query: str) -> str:
        html = client.get(f"/tokens/?{query}").content.decode()
        return html.split("<tbody>")[1] if "<tbody>" in html else ""

    assert "alive" in shown("")
    assert "lost" not in shown("")
    assert "on a host" not in shown("")
    assert "lost" in shown("state=revoked")
    assert "on a host" in shown("kind=host")
    assert "alive" not in shown("q=nothing")


def test_a_token_that_expires_soon_is_announced() -> None:
    token = make_token(fleet=make_fleet(name="edge"), name="autumn", expires=Expiry.YEAR).token
    Token.objects.filter(pk=token.pk).update(enrol_until=timezone.now() + timedelta(days=6))
    html = signed_in(Role.VIEWER).get("/tokens/").content.decode()
    assert "“autumn”" in html
    assert "Expires soon" in html


def test_refused_attempts_are_listed_with_what_to_look_at() -> None:
    make_refusal(RefusalReason.MISSING)
    html = signed_in(Role.VIEWER).get("/tokens/refused/").content.decode()
    assert "192.0.2.9" in html
    assert "The supervisor sends no token" in html


def test_too_many_newcomers_name_the_limit_and_its_setting(settings: Any) -> None:
    make_refusal(RefusalReason.RATE, token_prefix="tlf_e_x")
    html = signed_in(Role.VIEWER).get("/tokens/refused/").content.decode()
    assert f"{settings.ENROLMENTS_PER_MINUTE:,} a minute (TELFLO_ENROLMENTS_PER_MINUTE)" in html


def test_a_refused_attempt_says_what_was_wrong_with_the_token() -> None:
    make_refusal(RefusalReason.UNKNOWN, token_prefix="tlf_u_abcdef")
    make_refusal(RefusalReason.MISSING, token_prefix="tlf_e_abcdef")
    html = signed_in(Role.VIEWER).get("/tokens/refused/").content.decode()
    assert "This is a token of the REST API." in html
    assert "not issued by this server" not in html
    assert "The token was sent without the word Bearer" in html
    assert "No token was sent" not in html
    make_refusal(RefusalReason.MISSING)
    html = signed_in(Role.VIEWER).get("/tokens/refused/").content.decode()
    assert "No token was sent" in html


def test_the_list_costs_the_same_number_of_queries_however_long() -> None:
    client = signed_in(Role.VIEWER)
    counts = []
    for number in (1, 7):
        for n in range(number):
            enrol(token=make_token(fleet=make_fleet(), name=f"t{n}"))
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/tokens/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 24


def test_the_django_admin_makes_a_token_and_shows_it_once() -> None:
    fleet = make_fleet(name="edge")
    client = signed_in(Role.ADMIN)
    path = "/admin/fleets/token/add/"
    assert client.get(path).status_code == 200
    answer = client.post(path, {"fleet": fleet.pk, "name": "by admin", "expires": "1y"})
    token = Token.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "messages" not in answer.cookies
    html = answer.content.decode()
    assert token.prefix in html
    page = client.get("/admin/fleets/token/").content.decode()
    assert "by admin" in page
    one = client.get(f"/admin/fleets/token/{token.pk}/change/").content.decode()
    assert token.secret_hash not in one


ADMIN_LIST = "/admin/fleets/token/"


def chosen(action: str, *tokens: Token, **more: str) -> dict[str, Any]:
    """What the list of the Django admin posts."""
    return {"action": action, "_selected_action": [token.pk for token in tokens], **more}


def test_the_django_admin_asks_with_numbers_before_it_ends_tokens() -> None:
    fleet = make_fleet(name="edge")
    used, own = make_token(fleet=fleet, name="build"), make_token(fleet=fleet, name="own").token
    Token.objects.filter(pk=own.pk).update(kind=TokenKind.AGENT)
    enrol(token=used)
    enrol(token=used)
    client = signed_in(Role.ADMIN)
    asked = client.post(ADMIN_LIST, chosen("revoke", used.token, own)).content.decode()
    assert "2 collectors lose the server and keep running." in asked
    assert "build" in asked
    assert "own" in asked
    assert not Token.objects.exclude(revoked_at=None).exists()
    client.post(ADMIN_LIST, chosen("revoke", used.token, own, confirmed="1", reason="leaked"))
    assert Token.objects.exclude(revoked_at=None).count() == 2
    assert set(Activity.objects.filter(action="token.revoke").values_list("reason", flat=True)) == {
        "leaked"
    }


def test_the_django_admin_retires_a_token_once_it_is_confirmed() -> None:
    issued = make_token(fleet=make_fleet(name="edge"), name="build")
    enrol(token=issued)
    client = signed_in(Role.ADMIN)
    asked = client.post(ADMIN_LIST, chosen("retire", issued.token)).content.decode()
    assert "1 collector that it let in stays." in asked
    issued.token.refresh_from_db()
    assert issued.token.retired_at is None
    client.post(ADMIN_LIST, chosen("retire", issued.token, confirmed="1"))
    issued.token.refresh_from_db()
    assert token_state(issued.token, timezone.now()) is TokenState.RETIRED
    assert Activity.objects.filter(action="token.retire").exists()


def test_the_django_admin_asks_about_many_tokens_in_a_fixed_number_of_queries() -> None:
    fleet = make_fleet(name="edge")
    tokens = [make_token(fleet=fleet, name=f"t{n}").token for n in range(6)]
    client = signed_in(Role.ADMIN)
    counts = []
    for some in (tokens[:1], tokens):
        with CaptureQueriesContext(connection) as queries:
            assert client.post(ADMIN_LIST, chosen("revoke", *some)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_django_admin_rotates_a_token_and_shows_the_secret_once() -> None:
    token = make_token(fleet=make_fleet(name="edge"), name="build").token
    client = signed_in(Role.ADMIN)
    asked = client.post(ADMIN_LIST, chosen("rotate", token))
    assert "overlap_seconds" in asked.content.decode()
    assert Token.objects.count() == 1
    answer = client.post(
        ADMIN_LIST, chosen("rotate", token, confirmed="1", overlap_seconds="86400")
    )
    heir = token.children.get()
    assert "no-store" in answer["Cache-Control"]
    assert "messages" not in answer.cookies
    secret = re.findall(r"data-secret>(tlf_e_[^<]+)<", answer.content.decode())[0]
    assert hash_secret(secret) == heir.secret_hash
    assert Activity.objects.filter(action="token.rotate").exists()
    assert secret not in client.get(ADMIN_LIST).content.decode()


def test_the_django_admin_says_why_a_token_is_not_rotated() -> None:
    fleet = make_fleet(name="edge")
    one, other = make_token(fleet=fleet).token, make_token(fleet=fleet).token
    client = signed_in(Role.ADMIN)
    both = client.post(ADMIN_LIST, chosen("rotate", one, other), follow=True).content.decode()
    assert "Choose one token" in both
    Token.objects.filter(pk=one.pk).update(kind=TokenKind.AGENT)
    form = chosen("rotate", one, confirmed="1", overlap_seconds="0")
    assert "own credential is renewed by itself" in client.post(ADMIN_LIST, form).content.decode()
    assert Token.objects.count() == 2


@pytest.mark.parametrize(
    "model", ["fleet", "membership", "deployment", "rollout", "refusedattempt"]
)
def test_the_django_admin_shows_the_rest_and_changes_none_of_it(model: str) -> None:
    make_fleet(name="edge")
    client = signed_in(Role.ADMIN)
    assert client.get(f"/admin/fleets/{model}/").status_code == 200
    assert client.get(f"/admin/fleets/{model}/add/").status_code == 403


def test_the_django_admin_is_for_admins_alone() -> None:
    assert signed_in(Role.EDITOR).get("/admin/fleets/token/add/").status_code in (302, 403)
