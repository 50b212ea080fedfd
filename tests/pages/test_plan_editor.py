"""The plan editor on a fleet's Assign page: it edits, previews and starts without scripts."""

import re
from typing import Any

import pytest
from django.test import Client

from configs.models import ConfigVersion
from fleets.models import Fleet, Rollout
from telflo.base.access import Role
from tests.factories import (
    exporting,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db
HERE = "/fleets/edge/assign/"
TO_A_FILE = exporting("file", "{path: '${env:PLACE}'}")
STAGE = {"kind": "percent", "value": "100 %", "bake": "", "budget": "0"}


class Page:
    """An operator at the Assign page of a fleet of collectors."""

    def __init__(self, count: int = 20) -> None:
        version = make_version()
        self.fleet: Fleet = make_fleet(name="edge", version=version)
        desired = make_rendered(version=version)
        for n in range(count):
            labels = {"env": "staging" if n < 3 else "prod"}
            make_collector(
                name=f"c-{n:02}", fleet=self.fleet, desired=desired, agent={"labels": labels}
            )
        self.version: ConfigVersion = make_version()
        self.client: Client = signed_in(Role.OPERATOR)

    def post(self, do: str, stages: list[dict[str, str]] | None = None, **knobs: Any) -> Any:
        rows = {} if stages is None else {"stages": str(len(stages))}
        for n, stage in enumerate(stages or []):
            rows |= {f"stage-{n}-{name}": value for name, value in (STAGE | stage).items()}
        return self.client.post(HERE, {"version": self.version.pk, "do": do, **rows, **knobs})

    def html(self, do: str, stages: list[dict[str, str]] | None = None, **knobs: Any) -> str:
        answer = self.post(do, stages, **knobs)
        assert answer.status_code == 200
        html: str = answer.content.decode()
        return html


def value(html: str, name: str) -> str:
    """What an input holds; "" when it is there without a value."""
    [tag] = [part for part in html.split("<input")[1:] if f'name="{name}"' in part.split(">")[0]]
    return tag.split(">")[0].partition('value="')[2].partition('"')[0]


def test_it_opens_with_a_canary_and_says_how_many_each_stage_reaches() -> None:
    page = Page()
    html = page.client.get(f"{HERE}?version={page.version.pk}").content.decode()
    assert value(html, "stages") == "4"
    for words in (">+1</b>", ">+8</b>", ">+10</b>", "20 in all", "Start with 1 collector"):
        assert words in html
    assert value(html, "stage-0-bake") == "5 min"


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("canary", "Each is watched before the next begins"),
        ("all_at_once", "A failure pauses it; nothing is taken back by itself."),
        ("one_by_one", "The first failure takes everything back."),
    ],
)
def test_a_preset_says_what_it_does(preset: str, words: str) -> None:
    page = Page()
    assert words in page.html(f"preset:{preset}")
    assert words not in page.html("preview", [{"bake": "7 min"}])


@pytest.mark.parametrize(
    ("at_a_time", "least"), [("", "6 min"), ("20", "6 min"), ("7", "8 min"), ("1", "25 min")]
)
def test_it_says_how_long_it_takes_at_least_with_so_many_at_a_time(
    at_a_time: str, least: str
) -> None:
    html = Page().html("preview", [{"bake": "5 min"}], soak="1 min", max_in_flight=at_a_time)
    assert f"at least {least} if nothing fails" in html


def test_a_preset_takes_the_place_of_what_was_typed() -> None:
    html = Page().html("preset:one_by_one", [{}, {}, {}], max_in_flight="7")
    assert (value(html, "stages"), value(html, "max_in_flight")) == ("1", "1")
    assert "Start with 20 collectors" in html


def test_beside_a_selector_it_says_how_one_is_written() -> None:
    page = Page()
    html = page.html("preview", [{"kind": "selector", "value": "env=staging"}, {}])
    assert "key=value, key!=value, key in (a, b), key notin (a, b), key or !key" in html
    described = re.search(r'name="stage-0-value"[^>]*aria-describedby="([^"]*)"', html)
    assert described is not None
    assert f'id="{described[1]}"' in html
    assert "key notin" not in page.html("preview", [{}])


def test_what_is_wrong_with_a_selector_says_once_how_one_is_written() -> None:
    html = Page().html("preview", [{"kind": "selector", "value": "env ="}, {}])
    assert "“env =” is no condition." in html
    assert html.count("key notin (a, b)") == 1
    assert 'aria-describedby="id_stage-0-value_error"' in html


@pytest.mark.parametrize("left", ["1", "10 %"])
def test_a_number_that_the_field_still_holds_is_no_selector(left: str) -> None:
    html = Page().html("preview", [{"kind": "selector", "value": left}, {}])
    assert "Write a condition, such as region=eu-1." in html


def test_stages_are_added_before_the_last_and_removed_and_what_was_typed_stays() -> None:
    page = Page()
    typed = [{"kind": "selector", "value": "env=staging", "bake": "7 min"}, {}]
    html = page.html("add", typed, reason="because", soak="3 min")
    assert value(html, "stages") == "3"
    assert [value(html, f"stage-{n}-value") for n in range(3)] == ["env=staging", "10 %", "100 %"]
    assert (value(html, "reason"), value(html, "soak")) == ("because", "3 min")
    html = page.html("add", [{"value": "50 %"}, {}])
    assert value(html, "stage-1-value") == "75 %"
    html = page.html("remove:0", typed)
    assert (value(html, "stages"), value(html, "stage-0-value")) == ("1", "100 %")
    assert value(page.html("remove:0", [{}]), "stages") == "1", "one stage is left"
    assert not Rollout.objects.exists()


def test_a_stage_is_named_and_without_a_name_its_field_says_what_it_will_be_called() -> None:
    page = Page()
    stages = [{"value": "10 %"}, {"name": "The rest, at night"}]
    html = page.html("preview", stages)
    assert value(html, "stage-1-name") == "The rest, at night"
    assert html.count("The rest, at night") == 2, "the track has it too"
    [field] = [part.split(">")[0] for part in html.split("<input") if "stage-0-name" in part]
    assert 'placeholder="10 %"' in field
    assert value(page.html("preset:one_by_one", stages), "stage-0-name") == "One by one"


def test_the_fleets_own_configuration_comes_first_and_its_newest_version() -> None:
    version = make_version(configuration=make_configuration(name="middle"))
    newer = make_version(configuration=version.configuration)
    for name in ("aaa", "zzz"):
        make_version(configuration=make_configuration(name=name))
    make_fleet(name="edge", version=version)
    html = signed_in(Role.OPERATOR).get(HERE).content.decode()
    assert re.findall(r'<optgroup label="([^"]*)"', html) == ["middle", "aaa", "zzz"]
    first, second = re.findall(r'<option value="([^"]*)"', html)[:2]
    assert [first, second] == [str(newer.pk), str(version.pk)]


def test_a_selector_says_whom_it_reaches_and_that_it_reaches_nobody() -> None:
    page = Page()
    html = page.html("preview", [{"kind": "selector", "value": "env=staging"}, {}])
    assert ">+3</b>" in html
    assert "selects none" not in html
    html = page.html("preview", [{"kind": "selector", "value": "env=nowhere"}, {}])
    assert "selects none" in html
    assert "A stage selects no collector" in html


@pytest.mark.parametrize(
    ("stages", "knobs", "field", "words"),
    [
        ([{"value": "many"}], {}, "stage-0-value", "Write a share as 10 %."),
        ([{"kind": "count", "value": "x"}, {}], {}, "stage-0-value", "Write how many collectors."),
        ([{"kind": "selector", "value": "a=="}, {}], {}, "stage-0-value", "is no condition"),
        ([{"value": "50 %"}], {}, "stage-0-value", "The last stage has to reach 100 %"),
        ([{"value": "50"}, {"value": "20"}, {}], {}, "stage-1-value", "20 % is not more than"),
        ([{"bake": "soon"}], {}, "stage-0-bake", "Write a time as 90 s"),
        ([{"bake": "90 d"}], {}, "stage-0-value", "bakes for at most 14 days"),
        ([{"name": "x" * 61}], {}, "stage-0-name", "at most 60 characters"),
        ([{"budget": "few"}], {}, "stage-0-budget", "Write a number, or a share as 5 %."),
        ([{}], {"soak": "long"}, "soak", "Write a time as 90 s"),
        ([{}], {"max_in_flight": "0"}, "max_in_flight", "greater than or equal to 1"),
        ([{}], {"zone_key": "az"}, "zone_limit", "an attribute and a number"),
        ([{}], {"window_days": "fry"}, "window_days", "are no days"),
        ([{}], {"window_hours": "9-5"}, "window_hours", "are no hours"),
        ([{}], {"window_days": "mon", "window_zone": "Mars"}, "window_zone", "no time zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_starts(
    stages: list[dict[str, str]], knobs: dict[str, str], field: str, words: str
) -> None:
    answer = Page(2).post("start", stages, **knobs)
    assert answer.status_code == 422
    html = answer.content.decode()
    [said] = [part for part in html.split('class="err"')[1:] if f'id="id_{field}_error"' in part]
    assert words in said.split("</div>")[0]
    assert 'value="start" disabled' in html
    assert not Rollout.objects.exists()


def test_a_plan_as_a_whole_is_said_above_it() -> None:
    html = Page(2).post("start", [{}], apply_timeout="2 s").content.decode()
    assert "The apply timeout is 10 s to a day." in html


def test_the_whole_plan_is_started_as_it_was_typed() -> None:
    page = Page()
    answer = page.post(
        "start",
        [
            {
                "name": "Try it here",
                "kind": "selector",
                "value": "env=staging",
                "bake": "5 min",
                "budget": "1",
            },
            {"kind": "count", "value": "2", "budget": "0"},
            {"budget": "5 %"},
        ],
        reason="because",
        max_in_flight="4",
        apply_timeout="90 s",
        soak="2 min",
        automatic_rollback="on",
        offline="wait",
        zone_key="env",
        zone_limit="2",
        window_days="mon-fri",
        window_hours="09:00-17:00",
        window_zone="Europe/Berlin",
    )
    assert answer.status_code == 302, answer.content.decode()
    rollout = Rollout.objects.get()
    names = list(rollout.stages.values_list("name", flat=True))
    assert names == ["Try it here", "2 more", "Everybody"], "what nobody names says what it is"
    stages = list(rollout.stages.values_list("selector", "count", "percent", "bake_s"))
    assert stages == [("env=staging", None, None, 300), ("", 2, None, 0), ("", None, 100, 0)]
    budgets = rollout.stages.values_list("failure_budget_count", "failure_budget_percent")
    assert list(budgets) == [(1, 0), (0, 0), (None, 5)]
    assert [rollout.stages.get(index=n).targets.count() for n in range(3)] == [3, 2, 15]
    assert (rollout.max_in_flight, rollout.apply_timeout_s, rollout.soak_s) == (4, 90, 120)
    assert (rollout.automatic_rollback, rollout.waits_for_offline) == (True, True)
    assert (rollout.zone_key, rollout.zone_limit, rollout.reason) == ("env", 2, "because")
    window = (rollout.window_days, rollout.window_hours, rollout.window_zone)
    assert window == ("mon,tue,wed,thu,fri", "09:00-17:00", "Europe/Berlin")


def test_each_warning_needs_its_tick() -> None:
    page = Page()
    page.version = make_version(yaml=TO_A_FILE)
    html = page.html("preview")
    assert 'name="accept" value="unknown_components"' in html
    assert "2 warnings need your tick." in html
    answer = page.post("start", accept=["unknown_components"])
    assert answer.status_code == 422
    assert "It needs a variable on each host" in answer.content.decode()
    assert not Rollout.objects.exists()
    ticked = page.post("start", accept=["unknown_components", "new_variables"])
    assert ticked.status_code == 302


def test_an_error_cannot_be_ticked_away() -> None:
    page = Page()
    page.version = make_version(yaml="receivers: [")
    html = page.html("preview")
    assert "No collector can run this text" in html
    assert "Line 1: " in html
    assert 'value="start" disabled' in html
    assert page.post("start", accept=["invalid"]).status_code == 422
    assert not Rollout.objects.exists()


@pytest.mark.parametrize("odd", ["", "0", "-1", "999", "x"])
def test_an_odd_number_of_stages_is_the_first_preset(odd: str) -> None:
    page = Page(2)
    answer = page.client.post(HERE, {"version": page.version.pk, "do": "preview", "stages": odd})
    assert value(answer.content.decode(), "stages") == "4"
