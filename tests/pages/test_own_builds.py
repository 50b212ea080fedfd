"""Components of a build of one's own: no catalog has them, and collectors under management say that they do."""

import re
from typing import Any

import pytest
from django.test import Client

from agents.models import ComponentSet
from configs.models import Configuration, ConfigVersion, VersionState
from telflo.base import clock
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import make_configuration, make_version
from tests.pages.drafts import editor, form_of, path_of

pytestmark = pytest.mark.django_db

TEXT = """\
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:4317"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 400}}
exporters: {ourown: {}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [ourown]}
"""
VERSION = "0.158.0"
UNKNOWN = "0.158.0 has no exporter &quot;ourown&quot;"


def report() -> None:
    """A build says that it has the component."""
    tree: dict[str, Any] = {"exporters": {"components": {"ourown": {}}}}
    ComponentSet.objects.create(hash="a build of our own", tree=tree, created_at=clock.now())


@pytest.fixture
def client() -> Client:
    return editor("maria")[0]


def put(client: Client, configuration: Configuration, do: str) -> Any:
    """Write the text into the draft, and do this with it."""
    path = path_of(configuration)
    form = form_of(client.get(path).content.decode())
    return client.post(path, {**form, "yaml": TEXT, "collector_version": VERSION, "do": do})


def test_a_draft_knows_what_builds_here_say_that_they_have(client: Client) -> None:
    configuration = make_configuration()
    assert put(client, configuration, "save").status_code == 302
    assert UNKNOWN in client.get(path_of(configuration)).content.decode()
    assert UNKNOWN in client.get(f"{path_of(configuration)}findings/").content.decode()
    report()
    assert UNKNOWN not in client.get(path_of(configuration)).content.decode()
    assert UNKNOWN not in client.get(f"{path_of(configuration)}findings/").content.decode()


def test_it_is_published_once_a_build_has_it(client: Client) -> None:
    configuration = make_configuration()
    assert put(client, configuration, "publish").status_code == 422
    report()
    asked = put(client, configuration, "publish")["Location"]
    assert UNKNOWN not in client.get(asked).content.decode()
    warned = re.findall(r'name="accept" value="(\w+)"', client.get(asked).content.decode())
    client.post(asked, {"accept": warned})
    assert ConfigVersion.objects.get().state == VersionState.PUBLISHED


def test_a_version_and_the_api_know_it_too() -> None:
    version = make_version(yaml=TEXT, state=VersionState.UNPUBLISHED)
    ConfigVersion.objects.update(collector_version=VERSION)
    call = caller(Role.EDITOR)
    body = {"yaml": TEXT, "collector_version": VERSION}
    path = f"versions/{version.pk}/"
    assert call("POST", "validate/", body).body["valid"] is False
    assert call("POST", f"{path}publish/", {"accept_warnings": True}).status == 409
    report()
    assert call("POST", "validate/", body).body["valid"] is True
    assert "P10" not in [one["rule"] for one in call("GET", path).body["findings"]]
    assert call("POST", f"{path}publish/", {"accept_warnings": True}).body["state"] == "published"
