"""A rollout's page narrowed to a stage or a cause: its targets, their numbers, and the words of the cause."""

import re

import pytest
from django.utils import timezone

from fleets.models import (
    Rollout,
    Stage,
    TargetState,
)
from tests.pages.reading import page, queries_of, signed_in
from tests.pages.rollouts import started

pytestmark = pytest.mark.django_db


class TestNarrowing:
    """Every number leads to the rows behind it."""

    def test_the_count_of_a_cause_leads_to_those_that_failed_so(self) -> None:
        rollout = staged_with_failures()
        path = f"/rollouts/{rollout.number}/"
        causes = page(path).partition('id="rollout-causes"')[2].partition('id="targets"')[0]
        links = re.findall(r'<a class="count [^"]*" href="([^"]*)" [^>]*>(\d+)<', causes)
        assert [count for _, count in links] == ["2", "1"]
        first, second = (page(link.partition("#")[0]) for link, _ in links)
        assert names_in(first) == {"edge-0", "edge-1"}
        assert names_in(second) == {"edge-2"}
        assert states_in(first) == {"Waiting": "0", "Failed": "2"}
        assert "Cause <b" in first
        assert "no such host" in first.partition("Cause <b")[2].partition("</b>")[0]

    def test_a_cause_that_nobody_has_any_more_lists_nobody(self) -> None:
        html = page(f"/rollouts/{staged_with_failures().number}/?cause=abc")
        assert names_in(html) == set()
        assert "No target is like that" in html

    def test_a_stage_lists_its_own_and_is_named_in_each_row(self) -> None:
        rollout = staged_with_failures()
        path = f"/rollouts/{rollout.number}/"
        html = page(path)
        assert f'href="{path}?stage=0#targets"' in html.partition('class="track"')[2]
        rows = html.partition("<tbody>")[2]
        canary = rows.partition(">edge-0</a>")[2].partition("</tr>")[0]
        assert '<td class="md">Canary</td>' in canary
        assert names_in(page(f"{path}?stage=0")) == {"edge-0"}
        others = page(f"{path}?stage=1&state=failed")
        assert names_in(others) == {"edge-1", "edge-2"}
        assert states_in(others) == {"Waiting": "1", "Failed": "2"}
        assert len(names_in(page(f"{path}?stage=0&stage=1"))) == 4
        assert len(names_in(page(f"{path}?stage=9"))) == 4, "no such stage: no filter"

    def test_with_one_stage_there_is_none_to_choose(self) -> None:
        html = page(f"/rollouts/{started().number}/")
        assert "?stage=" not in html
        assert ">Stage</th>" not in html

    def test_a_name_that_nobody_has_is_no_rollout_without_targets(self) -> None:
        html = page(f"/rollouts/{started().number}/?q=nobody")
        assert "No target is like that" in html
        assert "No targets" not in html

    def test_queries_do_not_grow_with_rows(self) -> None:
        client, counts = signed_in(), []
        for number in (4, 12):
            rollout = staged_with_failures(collectors=number, name=f"fleet-{number}")
            path = f"/rollouts/{rollout.number}/"
            html = client.get(path).content.decode()
            link = html.partition('<a class="count is-fail')[2].partition('href="')[2]
            cause = link.partition("#")[0]
            addresses = (cause, f"{path}?stage=1", f"{cause}&stage=1&state=failed&q=fleet")
            counts.append([queries_of(client, address) for address in addresses])
        assert counts[0] == counts[1]
        assert counts[0] == [19, 19, 19]


def test_a_cause_is_shown_with_all_its_words() -> None:
    rollout = staged_with_failures()
    words = f"unknown type: valid values: [{' '.join(f'receiver{n}' for n in range(120))} zz-last]"
    rollout.targets.exclude(failure="").update(failure=words)
    html = page(f"/rollouts/{rollout.number}/")
    causes = html.partition('id="rollout-causes"')[2].partition('id="targets"')[0]
    assert len(words) > 1000
    assert words in causes.partition("<details")[2].partition("</details>")[0]


def staged_with_failures(*, collectors: int = 4, name: str = "edge") -> Rollout:
    """A canary and the others: the first two failed for one cause, the third for another; the rest wait."""
    rollout = started(collectors=collectors, name=name)
    canary = rollout.stages.get()
    Stage.objects.filter(pk=canary.pk).update(name="Canary")
    others = Stage.objects.create(rollout=rollout, index=1, name="Everybody")
    rollout.targets.exclude(agent__display_name=f"{name}-0").update(stage=others)
    rollout.targets.update(state=TargetState.WAITING)
    for n, words in enumerate(("dial: no such host 1", "dial: no such host 2", "refused")):
        target = rollout.targets.filter(agent__display_name=f"{name}-{n}")
        target.update(state=TargetState.FAILED, failure=words, failed_at=timezone.now())
    return rollout


def names_in(html: str) -> set[str]:
    """The collectors among the targets."""
    return set(re.findall(r'<a class="name" href="/collectors/[^"]*">([^<]*)</a>', html))


def states_in(html: str) -> dict[str, str]:
    """The states above the targets with their numbers."""
    found = html.partition('aria-label="State"')[2].partition("</div>")[0]
    return dict(re.findall(r'>(\w+) <span class="n">(\d+)</span>', found))
