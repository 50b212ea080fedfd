"""What differs, on a collector's page and in the API, and making a version of it."""

from typing import Any
from uuid import UUID

import pytest

from agents.models import Agent, EffectiveConfig
from agents.snapshot import ConfigFile
from agents.store.values import files_to_text
from configs.models import Configuration, ConfigVersion, Draft, VersionState
from fleets.models import Membership
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    make_api_token,
    make_collector,
)
from tests.fleets.drifted import INTENDED, drifted_collector
from tests.pages.reading import page, signed_in

pytestmark = pytest.mark.django_db


def shown(agent: Agent, role: Role = Role.EDITOR) -> str:
    return page(f"/collectors/{agent.pk}/configuration/", role=role)


def adopted(agent: Agent, **data: str) -> str:
    """What an Editor reads after adopting."""
    answer = signed_in(Role.EDITOR).post(f"/collectors/{agent.pk}/adopt/", data, follow=True)
    return answer.content.decode()


def test_the_page_says_what_differs_and_what_the_host_adds_apart() -> None:
    html = shown(drifted_collector())
    differs, added = html.split("Added on the host")[:2]
    assert "Processor batch" in differs
    assert "60s" in differs
    assert "2m0s" in differs
    assert "Receiver kafka" in added
    assert "1 part that drifting v1 does not have" in html
    assert "Extension opamp" not in html


def test_secrets_are_masked_in_what_differs() -> None:
    html = shown(drifted_collector())
    assert "Exporter otlp" in html
    assert "abcdefghij" not in html
    assert "zyxwvutsrq" not in html


def test_a_collector_that_runs_nothing_says_so() -> None:
    html = shown(drifted_collector("receivers: {otlp: }\nservice: {pipelines: {}}"))
    assert "It runs no pipeline." in html
    assert "otlp → batch → otlp" in html


def test_what_cannot_be_compared_shows_no_difference() -> None:
    assert "What differs" not in shown(drifted_collector("kind: other"))


def test_the_overview_leads_to_what_differs() -> None:
    agent = drifted_collector()
    assert "See what differs" in page(f"/collectors/{agent.pk}/")


def test_restart_and_adopt_are_offered_to_those_who_may() -> None:
    agent = drifted_collector()
    restart, adopt = f"/collectors/{agent.pk}/restart/", f"/collectors/{agent.pk}/adopt/"
    assert adopt in shown(agent)
    assert adopt not in shown(agent, Role.OPERATOR)
    assert restart not in shown(agent, Role.OPERATOR)  # it does not accept it
    Agent.objects.update(capabilities=agent.capabilities | 0x400)
    assert restart in shown(agent, Role.OPERATOR)


def test_what_it_runs_becomes_an_unpublished_version_and_hidden_secrets_are_named() -> None:
    agent = drifted_collector()
    assert "Adopt what edge-1 runs?" in page(f"/collectors/{agent.pk}/adopt/", role=Role.EDITOR)
    html = adopted(agent, reason="measured")
    version = ConfigVersion.objects.get(number=2)
    assert (version.state, version.note) == (VersionState.UNPUBLISHED, "measured")
    assert "timeout: 2m0s" in version.yaml
    assert "opamp" not in version.yaml
    assert "password: ${env:KAFKA_AUTH_PASSWORD}" in version.yaml
    assert "KAFKA_AUTH_PASSWORD" in html
    actions = Activity.objects.values_list("action", flat=True)
    assert {"agent.adopt_config", "version.save"} <= set(actions)


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (INTENDED.replace("60s", "1m0s"), "nothing to adopt"),
        ("kind: other", "did not say what it runs"),
    ],
)
def test_there_may_be_nothing_to_adopt(printed: str, words: str) -> None:
    agent = drifted_collector(printed)
    html = adopted(agent)
    assert words in html
    assert ConfigVersion.objects.count() == 1


def test_programs_read_the_difference_and_adopt_it(client: Any) -> None:
    agent = drifted_collector()
    key = {"HTTP_AUTHORIZATION": f"Bearer {make_api_token().secret}"}
    told = client.get(f"/api/v1/agents/{agent.pk}/drift/", **key).json()
    assert [row["part"] for row in told["drifted"]] == ["Processor batch", "Exporter otlp"]
    assert [row["part"] for row in told["additions"]] == ["Receiver kafka"]
    assert (told["missing_pipelines"], told["runs_nothing"]) == ([], False)
    made = client.post(
        f"/api/v1/agents/{agent.pk}/adopt/", {"reason": "x"}, "application/json", **key
    )
    assert (made.status_code, made.json()["number"]) == (201, 2)
    assert made.json()["variables"] == ["KAFKA_AUTH_PASSWORD"]
    EffectiveConfig.objects.all().delete()
    assert client.get(f"/api/v1/agents/{agent.pk}/drift/", **key).status_code == 404
    again = client.post(
        f"/api/v1/agents/{agent.pk}/adopt/", {"reason": "x"}, "application/json", **key
    )
    assert again.status_code == 409
    assert "did not say what it runs" in again.json()["detail"]


def test_what_it_runs_becomes_the_draft_unless_there_is_one() -> None:
    agent = drifted_collector()
    html = adopted(agent, as_draft="on")
    draft = Draft.objects.get()
    assert "timeout: 2m0s" in draft.yaml
    assert (draft.base, ConfigVersion.objects.count()) == (ConfigVersion.objects.get(), 1)
    assert "It is the draft of drifting now" in html
    Draft.objects.update(yaml="edited")
    assert "has a draft that" in adopted(agent, as_draft="on")
    assert Draft.objects.get().yaml == "edited"


def test_what_an_unmanaged_collector_runs_becomes_a_new_configuration() -> None:
    agent = drifted_collector()
    Membership.objects.update(desired=None)
    path = f"/collectors/{agent.pk}/adopt/"
    assert path in shown(agent)
    assert path not in shown(agent, Role.OPERATOR)
    assert 'value="edge-1"' in page(path, role=Role.EDITOR)
    html = adopted(agent, name="found")
    version = ConfigVersion.objects.get(configuration__name="found")
    assert (version.number, version.state) == (1, VersionState.UNPUBLISHED)
    assert "timeout: 2m0s" in version.yaml
    assert "opamp" not in version.yaml
    assert "KAFKA_AUTH_PASSWORD" in html
    assert "exists. Choose another name." in adopted(agent, name="found")
    EffectiveConfig.objects.update(files=files_to_text([ConfigFile("", b"receivers: {}", "")]))
    assert "runs no pipeline of its own" in adopted(agent, name="nothing")
    assert not Configuration.objects.filter(name="nothing").exists()


def test_programs_adopt_as_a_draft_and_as_a_new_configuration(client: Any) -> None:
    agent = drifted_collector()
    key = {"HTTP_AUTHORIZATION": f"Bearer {make_api_token().secret}"}

    def adopt(**body: Any) -> Any:
        path = f"/api/v1/agents/{agent.pk}/adopt/"
        return client.post(path, body, "application/json", **key)

    made = adopt(as_draft=True).json()
    assert (made["id"], made["number"]) == (None, None)
    assert Draft.objects.get().configuration_id == UUID(made["configuration"])
    Draft.objects.update(yaml="edited")
    assert adopt(as_draft=True).status_code == 409
    assert adopt(as_draft=True, name="x").status_code == 400
    assert adopt(name="found").json()["number"] == 1


def test_drifted_collectors_are_listed(client: Any) -> None:
    drifted_collector()
    make_collector(name="other")
    key = {"HTTP_AUTHORIZATION": f"Bearer {make_api_token().secret}"}
    found = client.get("/api/v1/agents/?status=drifted", **key).json()["results"]
    assert [one["name"] for one in found] == ["edge-1"]
    html = page("/collectors/?status=drifted")
    assert "edge-1" in html
    assert "other" not in html.split("<tbody")[1].split("</tbody")[0]
