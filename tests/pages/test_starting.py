"""The gallery of texts to start from, and comparing what there is."""

import re
from typing import Any

import pytest

from configs.models import Configuration, ConfigVersion, Draft
from configs.starting import TEMPLATES
from telflo.base.access import Role
from tests.factories import make_draft, make_version
from tests.pages.drafts import ONE, SECRET, TEXT, form_of, path_of
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db

BATCHED = """
receivers: {nop: }
processors: {batch: }
exporters: {nop: }
service: {pipelines: {traces: {receivers: [nop], processors: [batch], exporters: [nop]}}}
"""


class TestComparing:
    def test_a_draft_is_compared_with_a_version_in_meaning_and_in_text(self) -> None:
        version = make_version(yaml=TEXT)
        make_draft(configuration=version.configuration, yaml=ONE)
        path = f"/configurations/{version.configuration_id}/compare/"
        html = signed_in().get(path).content.decode()
        assert "gateway:4317</span> → " in html
        assert "Collectors restart with it" in html
        assert '<tr class="del">' in html
        assert SECRET not in html

    def test_a_value_that_came_or_went_and_an_order_are_said(self) -> None:
        version = make_version(yaml=BATCHED)
        again = BATCHED.replace("{batch: }", "{batch: {timeout: 5s}, filter: {a: {b: 1}}}")
        again = again.replace("[batch]", "[filter, batch]")
        make_version(configuration=version.configuration, yaml=again)
        last = again.replace("[filter, batch]", "[batch, filter]")
        make_version(configuration=version.configuration, yaml=last)
        path = f"/configurations/{version.configuration_id}/compare/"
        html = signed_in().get(f"{path}?from=1&to=2").content.decode()
        assert '<span class="is">5s</span>' in html
        assert "{&quot;b&quot;" not in html
        html = signed_in().get(f"{path}?from=2&to=1").content.decode()
        assert '<span class="was">5s</span>' in html
        html = signed_in().get(f"{path}?from=2&to=3").content.decode()
        assert "filter, batch</span> → " in html

    def test_side_by_side(self) -> None:
        version = make_version(yaml=TEXT)
        make_version(configuration=version.configuration, yaml=ONE)
        path = f"/configurations/{version.configuration_id}/compare/?from=1&to=2&view=sides"
        html = signed_in().get(path).content.decode()
        assert '<td class="del"><span class="sr">removed: </span>    endpoint: gateway:4317' in html
        assert '<td class="add"><span class="sr">added: </span>    endpoint: one:4317' in html
        assert SECRET not in html

    def test_what_only_looks_different_means_the_same(self) -> None:
        version = make_version(yaml=TEXT)
        make_version(configuration=version.configuration, yaml="# said\n" + TEXT)
        path = f"/configurations/{version.configuration_id}/compare/"
        html = signed_in().get(path).content.decode()
        assert "Both mean the same to a collector." in html
        assert "Nothing changes for a collector." in html

    def test_a_setting_that_says_what_is_so_anyhow_means_the_same(self) -> None:
        version = make_version(yaml=BATCHED)
        again = BATCHED.replace("batch:", "batch: {timeout: 200ms}")
        make_version(configuration=version.configuration, yaml=again)
        version.configuration.versions.update(collector_version="0.158.0")
        path = f"/configurations/{version.configuration_id}/compare/"
        html = signed_in().get(path).content.decode()
        assert "Both mean the same to a collector." in html

    def test_a_draft_that_cannot_be_read_is_compared_as_text(self) -> None:
        version = make_version(yaml=TEXT)
        make_draft(configuration=version.configuration, yaml="receivers: [")
        path = f"/configurations/{version.configuration_id}/compare/?from=1&to=draft"
        html = signed_in().get(path).content.decode()
        assert "cannot be read as a configuration" in html
        assert '<tr class="add">' in html


class TestStarting:
    @pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
    def test_a_template_fills_the_form(self, template: Any) -> None:
        client = signed_in(Role.EDITOR)
        html = client.get(f"/configurations/new/?template={template.slug}").content.decode()
        form = form_of(html)
        assert form["yaml"] == template.text
        assert '<option value="0.158.0" selected>' in html
        client.post("/configurations/new/", {**form, "name": "edge"})
        assert ConfigVersion.objects.get().yaml == template.text

    def test_an_unknown_template_is_an_empty_form(self) -> None:
        html = signed_in(Role.EDITOR).get("/configurations/new/?template=nope").content.decode()
        assert form_of(html)["yaml"] == ""
        for template in TEMPLATES:
            assert f"?template={template.slug}" in html

    def test_a_text_that_is_not_right_yet_is_opened_in_the_editor(self) -> None:
        answer = signed_in(Role.EDITOR).post(
            "/configurations/new/", {"name": "edge", "yaml": "receivers: [", "do": "draft"}
        )
        draft = Draft.objects.get()
        assert answer["Location"] == path_of(draft.configuration)
        assert (draft.yaml, draft.configuration.name) == ("receivers: [", "edge")
        assert not ConfigVersion.objects.exists()

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        text = "recievers: {}\nexporters: {debug: }\nservice: {pipelines: {trace: }}\n"
        answer = signed_in(Role.EDITOR).post("/configurations/new/", {"name": "", "yaml": text})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "This field is required." in html
        assert {"1", "3"} <= set(re.findall(r'data-line="(\d+)"', html))
        assert not Configuration.objects.exists()
