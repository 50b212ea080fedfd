"""The component catalog's pages, and a collector's components beside it."""

import re
from typing import Any

import pytest

from agents.models import Agent, ComponentSet
from configs import catalog
from telflo.base import clock
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import page, queries_of, signed_in

pytestmark = pytest.mark.django_db

TEXT = """\
receivers: {otlp: {protocols: {grpc: }}}
processors: {tail_sampling: }
exporters: {otlp: {endpoint: "localhost:4317"}, debug: }
service: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling], exporters: [otlp]}}}
"""


def types(query: str) -> list[str]:
    """The components in the list, in order."""
    return re.findall(r'<a class="name mono" [^>]*>([^<]*)</a>', page(f"/catalog/?{query}"))


def reported(**kinds: list[str]) -> ComponentSet:
    tree: Any = {
        kind: {"components": {name: {} for name in names}} for kind, names in kinds.items()
    }
    return ComponentSet.objects.create(hash="c" * 64, tree=tree, created_at=clock.now())


class TestTheList:
    def test_it_shows_the_newest_version_and_the_one_that_is_asked_for(self) -> None:
        newest = catalog.versions()[0]
        assert f'<option value="{newest}" selected>' in page("/catalog/")
        html = page("/catalog/?version=0.149.0")
        assert "otelcol-contrib 0.149.0" in html
        assert '<option value="0.149.0" selected>' in html

    def test_a_version_that_nobody_knows_is_answered_with_the_newest(self) -> None:
        assert f"otelcol-contrib {catalog.versions()[0]}" in page("/catalog/?version=7.7.7")

    def test_it_is_filtered_by_kind_signal_stability_and_name(self) -> None:
        assert types("version=0.158.0&kind=processors&q=probabil") == ["probabilistic_sampler"]
        assert "otlp_grpc" in types("version=0.158.0&kind=exporters&signal=logs&stability=stable")
        assert "otlp_grpc" not in types("version=0.158.0&kind=exporters&stability=development")
        assert types("version=0.158.0&kind=connectors&signal=traces&q=span") == ["span_metrics"]

    def test_an_older_name_finds_the_component(self) -> None:
        assert types("version=0.158.0&q=otlphttp") == ["otlp_http"]

    def test_filters_that_nothing_fits_say_so(self) -> None:
        assert "Nothing matches" in page("/catalog/?q=nothing-has-this-name")

    def test_the_number_of_queries_is_fixed(self) -> None:
        client = signed_in()
        all_of_it, some = (queries_of(client, f"/catalog/{one}") for one in ("", "?q=otlp"))
        assert all_of_it == some


class TestOneComponent:
    def test_it_shows_settings_with_defaults_and_what_it_works_with(self) -> None:
        html = page("/catalog/0.158.0/exporters/otlp_grpc/")
        for said in (
            "sending_queue",
            "5s",
            "duration",
            "secret",
            "profiles",
            "alpha",
            "held against a real collector",
        ):
            assert said in html, said
        assert "opentelemetry-collector/tree/v0.158.0/exporter/otlpexporter" in html

    def test_another_name_of_it_leads_to_it(self) -> None:
        client = signed_in()
        for old in ("otlp", "otlpgrpc"):
            answer = client.get(f"/catalog/0.158.0/exporters/{old}/")
            assert answer["Location"] == "/catalog/0.158.0/exporters/otlp_grpc/"
        assert client.get("/catalog/0.149.0/receivers/host_metrics/")["Location"].endswith(
            "/hostmetrics/"
        )

    @pytest.mark.parametrize(
        "rest", ["0.158.0/receivers/nothing/", "0.158.0/wheels/otlp/", "7.7.7/receivers/otlp/"]
    )
    def test_what_is_not_there_is_a_404(self, rest: str) -> None:
        assert signed_in().get(f"/catalog/{rest}").status_code == 404

    def test_it_names_the_configurations_and_builds_that_have_it(self) -> None:
        version = make_version(configuration=make_configuration(name="edge gateway"), yaml=TEXT)
        make_version(
            configuration=make_configuration(name="other"), yaml=TEXT.replace("otlp", "nop")
        )
        build = {"collector_name": "otelcol-contrib", "collector_version": "0.158.0"}
        components = reported(exporters=["otlp_grpc"], processors=["batch"])
        make_collector(name="a", fleet=make_fleet(), agent={"components": components, **build})
        html = page("/catalog/0.158.0/exporters/otlp_grpc/")
        assert f"/configurations/{version.configuration_id}/versions/1/" in html
        assert "edge gateway" in html
        assert "other" not in re.findall(r"<b>([^<]*)</b>", html)
        assert "contrib 0.158.0" in html
        assert "The newest version of no configuration" in page("/catalog/0.158.0/exporters/debug/")
        assert "No collector reports it" in page("/catalog/0.158.0/exporters/debug/")

    def test_the_number_of_queries_is_fixed(self) -> None:
        client, address = signed_in(), "/catalog/0.158.0/receivers/otlp/"
        counts = []
        for number in range(3):
            make_version(configuration=make_configuration(name=f"c{number}"), yaml=TEXT)
            tree: Any = {"receivers": {"components": {"otlp": {}}}}
            components = ComponentSet.objects.create(
                hash=f"{number}" * 64, tree=tree, created_at=clock.now()
            )
            make_collector(name=f"a{number}", fleet=make_fleet(), agent={"components": components})
            counts.append(queries_of(client, address))
        assert len(set(counts)) == 1


class TestACollectorsComponents:
    def collector(self, **kinds: list[str]) -> Agent:
        rendered = make_rendered(version=make_version(yaml=TEXT))
        return make_collector(
            name="edge-1",
            fleet=make_fleet(),
            desired=rendered,
            agent={"components": reported(**kinds), "collector_version": "0.158.0"},
        )

    def html(self, **kinds: list[str]) -> str:
        return page(f"/collectors/{self.collector(**kinds).pk}/components/")

    def states(self, html: str) -> dict[str, str]:
        rows = re.findall(
            r'<td class="mono">(?:<a[^>]*>)?([^<]*).*?</td><td>(.*?)</td>', html, re.DOTALL
        )
        return {name: re.sub(r"<[^>]*>", "", cell).strip() for name, cell in rows}

    def test_each_is_used_unused_or_missing(self) -> None:
        html = self.html(receivers=["otlp", "nop"], exporters=["otlp_grpc", "debug"])
        assert self.states(html) == {
            "otlp": "used",
            "nop": "unused",
            "otlp_grpc": "used",
            "debug": "unused",
            "tail_sampling": "missing",
        }
        assert "1 missing" in html
        assert "2 used, 2 unused." in html

    def test_they_lead_to_the_catalog_by_their_present_names(self) -> None:
        html = self.html(receivers=["otlp"], exporters=["otlp"])
        assert 'href="/catalog/0.158.0/exporters/otlp_grpc/"' in html
        assert self.states(html)["otlp"] == "used"

    def test_what_no_configuration_names_has_no_state(self) -> None:
        assert self.states(self.html(providers=["env"]))["env"] == ""

    def test_a_build_that_tells_nothing_says_how_it_would(self) -> None:
        assert "reports_available_components" in self.html()
