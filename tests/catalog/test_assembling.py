"""Catalogs put together of several sources."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from configs.catalog.building.assembling import Recipe, assembled, shape_of
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.collector.catalog_types import Catalog, Component, Field, FieldType
from configs.collector.names import Kind

ROOT = "go.opentelemetry.io/collector"
TEXT = Field(FieldType.TEXT)


def receiver(name: str, **more: object) -> Component:
    return Component(Kind.RECEIVER, name, module=f"{ROOT}/receiver/{name}", **more)  # type: ignore[arg-type]


def schema(*keys: str, **refs: str) -> Published:
    own = {key: {"type": "string"} for key in keys}
    return Published(
        {
            "type": "object",
            "properties": {**own, **{key: {"$ref": ref} for key, ref in refs.items()}},
        }
    )


@dataclass
class Known:
    """A source that knows this."""

    version: str
    names: Iterable[str] = ()
    packages: dict[str, Published] = field(default_factory=dict)
    told: str = "a test"
    lists_all: bool = True

    def components(self) -> Iterable[Component]:
        return [receiver(one) for one in self.names]

    def published(self, package: str) -> Published | None:
        return self.packages.get(package.removeprefix(f"{ROOT}/"))


def catalog_of(version: str, *components: Component) -> Catalog:
    members: dict[Kind, dict[str, Component]] = {kind: {} for kind in Kind} | {
        Kind.RECEIVER: {one.type: one for one in components}
    }
    return Catalog(version, members)


def receivers(catalog: Catalog) -> dict[str, Component]:
    return dict(catalog.components[Kind.RECEIVER])


def test_names_and_settings_of_the_version_itself_are_not_marked() -> None:
    source = Known("0.150.0", ["a", "b"], {"receiver/a": schema("x")})
    found = receivers(assembled(Recipe("0.150.0", [source])))
    assert set(found) == {"a", "b"}
    assert found["a"].config == Field(FieldType.MAP, fields={"x": TEXT})
    assert found["b"].config is None
    assert {(one.facts_from, one.settings_from) for one in found.values()} == {("", "")}


def test_settings_that_a_version_lacks_are_of_the_nearest_that_has_them_and_marked() -> None:
    own = Known("0.150.0", ["a"])
    far = Known("0.160.0", ["a"], {"receiver/a": schema("far")})
    near = catalog_of("0.152.0", receiver("a", config=Field(FieldType.MAP, fields={"near": TEXT})))
    (one,) = receivers(assembled(Recipe("0.150.0", [own, far], [near]))).values()
    assert one.config is not None
    assert set(one.config.fields) == {"near"}
    assert one.settings_from == "0.152.0"


def test_settings_that_schemas_tell_one_level_too_high_are_put_where_they_belong() -> None:
    told = schema("thrift_http", "grpc", "thrift_binary", "thrift_compact", "remote_sampling")
    source = Known("1.0.0", ["jaeger", "other"], {"receiver/jaeger": told, "receiver/other": told})
    found = receivers(assembled(Recipe("1.0.0", [source])))
    jaeger, other = (found[one].config for one in ("jaeger", "other"))
    assert jaeger is not None
    assert other is not None
    assert set(jaeger.fields) == {"protocols", "remote_sampling"}
    assert set(jaeger.fields["protocols"].fields) == set(other.fields) - {"remote_sampling"}
    assert jaeger.fields["protocols"].type is FieldType.MAP


def test_what_a_neighbour_borrowed_itself_keeps_its_mark() -> None:
    near = catalog_of("0.152.0", receiver("a", config=TEXT, settings_from="0.158.0"))
    (one,) = receivers(assembled(Recipe("0.150.0", [Known("0.150.0", ["a"])], [near]))).values()
    assert one.settings_from == "0.158.0"


def test_shared_packages_are_read_in_the_version_itself_where_it_has_them() -> None:
    own = Known("0.150.0", ["a"], {"config/tls": schema("old")})
    later = Known(
        "0.158.0",
        ["a"],
        {"receiver/a": schema(tls="/config/tls.config"), "config/tls": schema("new")},
    )
    (one,) = receivers(assembled(Recipe("0.150.0", [own, later]))).values()
    assert one.config is not None
    assert set(one.config.fields["tls"].fields) == {"old"}
    assert one.settings_from == "0.158.0"


def test_a_version_that_nothing_is_known_of_has_what_its_nearest_neighbour_has() -> None:
    near, far = catalog_of("0.144.0", receiver("a")), catalog_of("0.150.0", receiver("b"))
    (one,) = receivers(assembled(Recipe("0.143.0", [], [far, near]))).values()
    assert (one.type, one.facts_from) == ("a", "0.144.0")


def test_of_the_modules_of_a_distribution_those_that_cannot_be_had_are_a_neighbours() -> None:
    modules = frozenset(f"{ROOT}/receiver/{one}" for one in ("a", "b"))
    own, near = Known("0.150.0", ["a", "other"]), Known("0.151.0", ["a", "b", "more"])
    found = receivers(assembled(Recipe("0.150.0", [own, near], only=modules)))
    assert {name: one.facts_from for name, one in found.items()} == {"a": "", "b": "0.151.0"}


def test_a_component_that_a_later_version_has_is_not_given_to_an_earlier_one() -> None:
    own, later = Known("0.150.0", ["a"]), Known("0.158.0", ["a", "new"])
    assert set(receivers(assembled(Recipe("0.150.0", [own, later])))) == {"a"}


def test_an_older_name_that_a_newer_version_tells_was_taken_since_the_component_was_renamed() -> (
    None
):
    def aliases(own: Component, *neighbours: Catalog) -> set[str]:
        source = Known("0.147.0", [own.type])
        (one,) = receivers(assembled(Recipe("0.147.0", [source], neighbours))).values()
        return set(one.aliases)

    newer = catalog_of("0.149.0", receiver("a", aliases=frozenset({"old"})))
    older = catalog_of("0.144.0", receiver("a", aliases=frozenset({"dropped"})))
    renamed = catalog_of("0.158.0", replace(receiver("a"), type="b", aliases=frozenset({"a"})))
    assert aliases(receiver("a"), newer, older, renamed) == {"old"}


def test_without_any_source_it_says_what_to_name() -> None:
    with pytest.raises(CatalogError, match="--registry"):
        assembled(Recipe("0.150.0", []))


class TestBetweenTwoThatWereHeldAgainstCollectors:
    def of(self, before: Component, after: Component) -> Component:
        own = Known("0.150.0", ["a"], {"receiver/a": schema("own")})
        neighbours = [catalog_of("0.149.0", before), catalog_of("0.158.0", after)]
        (one,) = receivers(assembled(Recipe("0.150.0", [own], neighbours))).values()
        return one

    def settings(self, *keys: str, **more: object) -> Component:
        fields = {key: Field(FieldType.TEXT, **more) for key in keys}  # type: ignore[arg-type]
        return receiver("a", config=Field(FieldType.MAP, fields=fields), is_verified=True)

    def test_what_both_take_alike_is_certain(self) -> None:
        one = self.of(self.settings("x", default="1"), self.settings("x", default="2"))
        assert (one.is_verified, one.settings_from) == (True, "0.149.0")
        assert one.config is not None
        assert one.config.fields["x"].default == "1"

    def test_what_changed_between_them_is_not(self) -> None:
        one = self.of(self.settings("x"), self.settings("x", "y"))
        assert (one.is_verified, one.settings_from) == (False, "")

    def test_order_does_not_count(self) -> None:
        assert shape_of(Field(fields={"a": TEXT, "b": TEXT})) == shape_of(
            Field(fields={"b": TEXT, "a": TEXT})
        )
