"""The pages of rollouts."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import AgentStatus
from agents.snapshot import ConfigStatus
from fleets.models import (
    Attempt,
    AttemptState,
    Membership,
    Rollout,
    RolloutState,
    StageState,
    TargetState,
)
from fleets.rollouts.services import start_rollout
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import (
    TESTER,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import page, signed_in
from tests.pages.rollouts import started

pytestmark = pytest.mark.django_db
APPLIED, FAILED = ConfigStatus.APPLIED, ConfigStatus.FAILED


def test_without_rollouts_the_list_says_what_one_is() -> None:
    assert "No rollouts yet" in signed_in().get("/rollouts/").content.decode()


def test_the_list_shows_each_with_its_progress() -> None:
    rollout = started()
    html = signed_in().get("/rollouts/").content.decode()
    assert f'href="/rollouts/{rollout.number}/">#{rollout.number}</a>' in html
    assert "new gateway" in html
    assert "0 of 2" in html


@pytest.mark.parametrize(
    ("chosen", "state"),
    [
        ("active", RolloutState.RUNNING),
        ("paused", RolloutState.PAUSED),
        ("back", RolloutState.ROLLED_BACK),
    ],
)
def test_the_list_is_narrowed_to_what_is_under_way_paused_or_taken_back(
    chosen: str, state: RolloutState
) -> None:
    mine, other = started(), started(name="other")
    Rollout.objects.filter(pk=mine.pk).update(state=state)
    Rollout.objects.filter(pk=other.pk).update(state=RolloutState.SUCCEEDED)
    browser = signed_in()
    assert numbers_in(browser.get("/rollouts/")) == {mine.number, other.number}
    assert numbers_in(browser.get("/rollouts/", {"state": chosen})) == {mine.number}
    Rollout.objects.update(state=RolloutState.SUCCEEDED)
    empty = browser.get("/rollouts/", {"state": chosen})
    assert not numbers_in(empty)
    assert "No rollout like that" in empty.content.decode()


def numbers_in(answer: Any) -> set[int]:
    """The rollouts that a list shows."""
    return {
        int(number) for number in re.findall(r'href="/rollouts/(\d+)/"', answer.content.decode())
    }


def test_one_shows_its_targets_failures_first_with_the_collectors_own_words_redacted() -> None:
    rollout = started()
    target = rollout.targets.get(agent__display_name="edge-1")
    target.state = TargetState.FAILED
    target.save(update_fields=["state"])
    assert target.agent is not None
    Attempt.objects.create(
        agent=target.agent,
        rendered=make_rendered(version=rollout.version),
        hash="0" * 64,
        epoch=1,
        rollout=rollout,
        state=AttemptState.FAILED,
        error="cannot start: password=hunter2hunter2",
        offered_at=timezone.now(),
        deadline=timezone.now(),
    )
    html = signed_in().get(f"/rollouts/{rollout.number}/").content.decode()
    assert html.index(">edge-1</a>") < html.index(">edge-0</a>")
    assert "cannot start" in html
    assert "hunter2hunter2" not in html
    assert f'data-live="rollout:{rollout.pk}"' in html


def test_a_failed_target_is_retried_from_the_rollout() -> None:
    rollout = started()
    target = rollout.targets.get(agent__display_name="edge-1")
    target.state = TargetState.FAILED
    target.save(update_fields=["state"])
    agent = target.agent
    assert agent is not None
    AgentStatus.objects.filter(agent=agent).update(status="failed", config_status="failed")
    path, link = f"/rollouts/{rollout.number}/", f'href="/collectors/{agent.pk}/retry/?next='
    assert link not in signed_in(Role.OPERATOR).get(path).content.decode(), "it wants another one"
    desired = make_rendered(version=rollout.version)
    Membership.objects.filter(agent=agent).update(desired=desired)
    html = signed_in(Role.OPERATOR).get(path).content.decode()
    assert f"{link}%2Frollouts%2F{rollout.number}%2F" in html
    assert html.count("/retry/") == 1
    why = html[html.index(f'id="why-{agent.pk}"') :]
    assert ">Leave out</a>" in why[: why.index("/retry/")], "one beside the other"
    assert link not in signed_in().get(path).content.decode()


@pytest.mark.parametrize(
    ("said", "known", "words"),
    [
        ((FAILED, "failed"), True, "Was to run edge v1 before, and has not said what it runs."),
        ((APPLIED, "before"), True, "Runs edge v1."),
        ((APPLIED, "elsewhere"), True, "Runs a configuration that is not from here, elsewher."),
        ((APPLIED, "failed"), True, "Was to run edge v1 before, and has not said what it runs."),
        ((FAILED, "failed"), False, "Had no version from here before."),
    ],
)
def test_a_failed_target_says_what_runs_instead(
    said: tuple[ConfigStatus, str], known: bool, words: str
) -> None:
    configuration = make_configuration(name="edge")
    first, second = (make_version(configuration=configuration) for _ in range(2))
    fleet = make_fleet(name="edge", version=first)
    before = make_rendered(version=first, digest="before")
    row: dict[str, Any] = (
        {"remote_config_status": APPLIED, "remote_config_hash": "before"} if known else {}
    )
    agent = make_collector(fleet=fleet, desired=before if known else None, **row)
    rollout = start_rollout(fleet=fleet, version=second, actor=TESTER)
    rollout.targets.update(state=TargetState.FAILED)
    make_rendered(version=second, digest="failed")
    path = f"/rollouts/{rollout.number}/"
    AgentStatus.objects.filter(agent=agent).update(
        remote_config_status=said[0], remote_config_hash=said[1]
    )
    assert words in page(path)
    if said == (APPLIED, "before"):
        AgentStatus.objects.filter(agent=agent).update(connected=False)
        assert "Ran edge v1 last." in page(path)


def ended(*, failed: int) -> Rollout:
    """One that is over: some targets failed, the others succeeded."""
    rollout = started(collectors=4, name=f"with-{failed}")
    keys = list(rollout.targets.values_list("pk", flat=True))
    rollout.targets.filter(pk__in=keys[:failed]).update(state=TargetState.FAILED)
    rollout.targets.filter(pk__in=keys[failed:]).update(state=TargetState.SUCCEEDED)
    rollout.stages.update(state=StageState.PASSED)
    rollout.state = RolloutState.SUCCEEDED
    rollout.save(update_fields=["state"])
    return rollout


def test_one_that_ended_with_failures_does_not_look_like_a_success() -> None:
    rollout = ended(failed=3)
    for path in ("/rollouts/", f"/rollouts/{rollout.number}/", "/fleets/with-3/rollouts/"):
        html = page(path)
        assert "Finished, 3 failed</span>" in html
        assert ">Succeeded</span>" not in html.partition("<h2")[0]
    one = page(f"/rollouts/{rollout.number}/")
    assert 'class="lamp is-warn lit big"' in one
    assert "failed on 3 of 4 collectors. It is not offered to them again" in one
    assert "Passed, some failed" in one


def test_one_that_ended_without_failures_succeeded() -> None:
    one = page(f"/rollouts/{ended(failed=0).number}/")
    assert 'class="lamp is-ok big"' in one
    assert "Finished" not in one


@pytest.mark.parametrize("state", ["paused", "superseded", "cancelled"])
def test_a_stage_does_not_run_while_its_rollout_does_not(state: str) -> None:
    rollout = started()
    rollout.stages.update(state=StageState.RUNNING)
    Rollout.objects.filter(pk=rollout.pk).update(state=state)
    stage = page(f"/rollouts/{rollout.number}/").partition('<ol class="track">')[2]
    stage = stage.partition("</ol>")[0]
    assert f"{state.capitalize()}</span>" in stage
    assert "Running" not in stage
    answer = caller()("GET", f"rollouts/{rollout.pk}/").body
    assert [one["state"] for one in answer["stages"]] == [state]


def test_the_overview_says_that_a_stage_is_paused() -> None:
    rollout = started()
    rollout.stages.update(state=StageState.RUNNING)
    Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.PAUSED)
    stage = page("/").partition('<ol class="track">')[2].partition("</ol>")[0]
    assert "Paused</span>" in stage
    assert "Running" not in stage


def test_a_stage_that_was_passed_stays_passed() -> None:
    rollout = started()
    rollout.stages.update(state=StageState.PASSED)
    Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.SUPERSEDED)
    assert rollout.stages.get().state_now == "passed"


def test_targets_are_filtered_by_state_and_name() -> None:
    rollout = started()
    client = signed_in()
    failed = client.get(f"/rollouts/{rollout.number}/?state=failed").content.decode()
    assert "No target is in this state" in failed
    named = client.get(f"/rollouts/{rollout.number}/?q=edge-1").content.decode()
    assert ">edge-1</a>" in named
    assert ">edge-0</a>" not in named


def test_a_rollout_without_collectors_says_so() -> None:
    rollout = started(collectors=0)
    html = signed_in().get(f"/rollouts/{rollout.number}/").content.decode()
    assert "The fleet had no collectors to move" in html


def test_queries_do_not_grow_with_rows() -> None:
    client = signed_in()
    counts = []
    for number in (1, 6):
        rollout = started(collectors=number, name=f"fleet-{number}")
        pair = []
        for path in ("/rollouts/", f"/rollouts/{rollout.number}/"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            pair.append(len(queries))
        counts.append(pair)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 16


def test_an_unknown_rollout_is_not_found() -> None:
    assert signed_in().get("/rollouts/99/").status_code == 404


class TestSteps:
    def test_a_running_one_is_paused_and_resumed_with_a_reason(self) -> None:
        rollout = started()
        Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.RUNNING)
        client = signed_in(Role.OPERATOR)
        html = client.get(f"/rollouts/{rollout.number}/").content.decode()
        for slug in ("pause", "rollback", "cancel"):
            assert f'href="/rollouts/{rollout.number}/{slug}/"' in html
        assert "/resume/" not in html
        asked = client.get(f"/rollouts/{rollout.number}/pause/").content.decode()
        assert "Nobody else gets the version" in asked
        assert "is not taken back by itself, however many fail" in asked
        client.post(f"/rollouts/{rollout.number}/pause/", {"reason": "lunch"})
        rollout.refresh_from_db()
        assert (rollout.state, rollout.is_held) == ("paused", True)
        html = client.get(f"/rollouts/{rollout.number}/").content.decode()
        assert "paused it: lunch. Nobody else goes until somebody resumes it" in html
        assert "until then it is not taken back by itself." in html
        client.post(f"/rollouts/{rollout.number}/resume/")
        rollout.refresh_from_db()
        assert rollout.state == "running"
        told = caller()("GET", "events/?action=rollout.pause").body["results"]
        assert [one["reason"] for one in told] == ["lunch"]

    def test_the_rare_ones_stand_in_a_menu_behind_the_buttons(self) -> None:
        rollout = started()
        Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.BAKING)
        path = f"/rollouts/{rollout.number}/"
        html = signed_in(Role.OPERATOR).get(path).content.decode()
        buttons, _, menu = html.partition('class="acts"')[2].partition("<details")
        for slug in ("pause", "skip-bake", "rollback"):
            assert f'href="{path}{slug}/"' in buttons
        assert f'href="{path}cancel/"' in menu.partition("</details>")[0]
        assert "Assign another version" in menu.partition("</details>")[0]
        Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.CANCELLED)
        over = signed_in(Role.OPERATOR).get(path).content.decode()
        actions = over.partition('class="acts"')[2].partition("<section")[0]
        assert "Assign another version" in actions, "with nothing else to do it is a button"
        assert "<details" not in actions

    def test_what_cannot_be_done_now_is_said_and_changes_nothing(self) -> None:
        rollout = started()
        answer = signed_in(Role.OPERATOR).post(f"/rollouts/{rollout.number}/resume/", follow=True)
        assert "It is pending; that cannot be done now." in answer.content.decode()

    def test_viewers_see_no_buttons(self) -> None:
        rollout = started()
        assert "/cancel/" not in signed_in().get(f"/rollouts/{rollout.number}/").content.decode()

    def test_an_unknown_step_is_not_found(self) -> None:
        rollout = started()
        client = signed_in(Role.OPERATOR)
        assert client.get(f"/rollouts/{rollout.number}/explode/").status_code == 404


def test_a_canary_is_chosen_when_a_version_is_assigned() -> None:
    fleet, version = make_fleet(name="edge", version=make_version()), make_version()
    for n in range(20):
        make_collector(name=f"c-{n}", fleet=fleet, desired=make_rendered(version=make_version()))
    client = signed_in(Role.OPERATOR)
    client.post("/fleets/edge/assign/", {"version": str(version.pk), "do": "start"})
    rollout = Rollout.objects.get()
    assert rollout.automatic_rollback
    html = client.get(f"/rollouts/{rollout.number}/").content.decode()
    for words in ("Canary", ">1 collector<", "bakes 5 min", "10 %", "10 collectors"):
        assert words in html
