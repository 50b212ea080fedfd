"""The frame of every page and the parts in it, rendered by themselves."""

import re
from collections.abc import Mapping

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import resolve
from django_cotton.compiler_regex import CottonCompiler

from telflo.ui import nav, views
from telflo.ui.samples import kit_samples

pytestmark = pytest.mark.urls("tests.ui.urls")


def _request(address: str = "/", cookies: Mapping[str, str] | None = None) -> HttpRequest:
    request = RequestFactory().get(address)
    request.COOKIES.update(cookies or {})
    request.user = AnonymousUser()
    request.resolver_match = resolve(address)
    return request


def _shell(address: str = "/", **cookies: str) -> str:
    return render_to_string("base.html", request=_request(address, cookies))


def _part(source: str, **context: object) -> str:
    template = engines["django"].from_string(CottonCompiler().process(source))
    return template.render(context, _request())


def test_the_shell_and_the_kit_need_no_inline_style_or_script() -> None:
    for page in (_shell(), render_to_string("kit.html", kit_samples(), _request())):
        assert not re.search(r"\sstyle=", page)
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_ids_in_the_kit_are_unique() -> None:
    page = render_to_string("kit.html", kit_samples(), _request())
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_current_section_is_marked_in_rail_and_phone_bar() -> None:
    page = _shell("/fleets/")
    assert len(re.findall(r'<a href="/fleets/"[^>]*aria-current="page"', page)) == 2
    assert page.count('aria-current="page"') == 2


def test_counts_stand_beside_their_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """monkeypatch puts back who counted before: pages of other tests are counted too."""
    counting = {"agents": nav.NavCount("1,284")}
    monkeypatch.setattr(nav._counting, "source", lambda _request: counting)
    assert '<span class="n">1,284</span>' in _shell()


@pytest.mark.parametrize(
    ("cookie", "attribute"),
    [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')],
)
def test_the_theme_of_the_cookie_is_there_at_first_paint(cookie: str, attribute: str) -> None:
    assert attribute in _shell(theme=cookie)


@pytest.mark.parametrize("cookie", ["system", '"><script>', ""])
def test_any_other_theme_leaves_the_choice_to_the_system(cookie: str) -> None:
    assert "data-theme" not in _shell(theme=cookie).split("<head>")[0]


def test_the_theme_form_keeps_the_choice_and_goes_back_to_its_page() -> None:
    request = RequestFactory().post("/theme/", {"theme": "dark", "next": "/fleets/?page=2"})
    answer = views.set_theme(request)
    assert (answer.status_code, answer["Location"]) == (302, "/fleets/?page=2")
    assert answer.cookies["theme"].value == "dark"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", ""])
def test_the_theme_form_leads_nowhere_else(elsewhere: str) -> None:
    request = RequestFactory().post("/theme/", {"theme": "pink", "next": elsewhere})
    answer = views.set_theme(request)
    assert answer["Location"] == "/"
    assert "theme" not in answer.cookies


def test_done_things_leave_and_errors_stay() -> None:
    page = _part(
        "<c-toasts />", messages=[Message(25, "Fleet edge-eu is ready"), Message(40, "It failed")]
    )
    done, failed = page.split("Fleet edge-eu is ready")
    assert "data-stays" not in done
    assert "data-stays" in failed


class _FleetForm(forms.Form):
    name = forms.SlugField(label="Fleet name", help_text="Letters, digits and dashes.")
    timeout = forms.CharField(label="Apply timeout", help_text="Between 10 s and 30 min.")
    observe = forms.BooleanField(label="Observe only", required=False)
    expiry = forms.ChoiceField(choices=[("1", "never"), ("2", "1 year")], widget=forms.RadioSelect)


def test_a_wrong_field_names_its_error_and_keeps_what_was_typed() -> None:
    form = _FleetForm({"name": "edge eu", "timeout": "90 s", "expiry": "1"})
    page = _part('<c-field :field="form.name" />', form=form)
    assert 'value="edge eu"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert "Letters, digits and dashes." not in page


def test_a_right_field_shows_its_hint_in_the_same_place() -> None:
    page = _part('<c-field :field="form.timeout" />', form=_FleetForm())
    assert 'aria-describedby="id_timeout_helptext"' in page
    assert 'id="id_timeout_helptext">Between 10 s and 30 min.' in page


def test_boxes_have_their_labels_beside_them() -> None:
    form = _FleetForm()
    assert 'class="tick"' in _part('<c-field :field="form.observe" />', form=form)
    radios = _part('<c-field :field="form.expiry" />', form=form)
    assert "<legend" in radios
    assert radios.count('class="radio"') == 2


def test_text_handed_to_a_component_is_escaped_once() -> None:
    page = _part('<c-cmd :text="command" />', command='echo "<a>" & b')
    assert page.count("echo &quot;&lt;a&gt;&quot; &amp; b") == 2


def test_a_confirmation_names_both_ways_out() -> None:
    page = _part(
        '<c-confirm id="x" title="Revoke?" action="/t/" verb="Revoke" reason="1">24 lose it.</c-confirm>'
    )
    assert 'formmethod="dialog"' in page
    assert "Keep it" in page
    assert 'name="reason"' in page
    assert "btn-error" in page


@pytest.mark.parametrize("code", ["400", "403", "404", "500", "503"])
def test_error_pages_render_without_a_request(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert "<h1" in page
    assert "data-theme" not in page.split("<head>")[0]


def test_the_server_error_page_shows_its_reference() -> None:
    assert "7f3a-91c2" in render_to_string("500.html", {"reference": "7f3a-91c2"})
