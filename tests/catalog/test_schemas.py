"""Settings made of what upstream publishes."""

from typing import Any

import pytest
import yaml

from configs.catalog.building.places import CONTRIB, CORE, Place, place_of, repository_of
from configs.catalog.building.schemas import Published, Schemas
from configs.collector.catalog_types import Field, FieldType

OWN = f"{CONTRIB}/processor/x"


def settings(schema: str, **packages: str) -> Field:
    """The settings of a component with this schema. packages: further ones below core's config/."""
    there = {
        f"{CORE}/config/{name}": Published(yaml.safe_load(text)) for name, text in packages.items()
    }
    there[OWN] = Published(yaml.safe_load(schema))
    made = Schemas(there.get).settings_of(OWN)
    assert made is not None
    return made


def field(body: str) -> Field:
    """A field of this one schema, indented as below a key."""
    return settings(f"properties: {{it: {body}}}").fields["it"]


@pytest.mark.parametrize(
    ("ref", "package", "name"),
    [
        ("name", OWN, "name"),
        ("./internal/common.name", f"{OWN}/internal/common", "name"),
        ("./internal.name", f"{OWN}/internal", "name"),
        ("../y.name", f"{CONTRIB}/processor/y", "name"),
        ("/pkg/ottl.name", f"{CONTRIB}/pkg/ottl", "name"),
        (f"{CORE}/config/configtls.name", f"{CORE}/config/configtls", "name"),
        (f"{CONTRIB}/pkg/ottl.name", f"{CONTRIB}/pkg/ottl", "name"),
        ("/internal/healthcheck", f"{CONTRIB}/internal/healthcheck", "config"),
    ],
)
def test_a_reference_is_read_in_each_way_that_upstream_writes_it(
    ref: str, package: str, name: str
) -> None:
    assert place_of(ref, OWN) == Place(package, name)


def test_a_reference_from_the_root_stays_in_its_repository() -> None:
    assert (
        place_of("/config/configtls.name", f"{CORE}/receiver/otlp").package
        == f"{CORE}/config/configtls"
    )
    assert repository_of("github.com/some/one/deep/er") == "github.com/some/one"


class TestTypes:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("{type: string}", FieldType.TEXT),
            ("{type: string, format: duration}", FieldType.DURATION),
            ("{type: string, x-customType: time.Duration}", FieldType.DURATION),
            ("{type: integer}", FieldType.INTEGER),
            ("{type: integer, x-customType: uint32}", FieldType.UNSIGNED),
            ("{type: number, x-customType: float64}", FieldType.NUMBER),
            ("{type: boolean}", FieldType.TRUTH),
            ("{type: array, items: {type: string}}", FieldType.LIST),
            ("{type: object}", FieldType.MAP),
            ("{properties: {a: {type: string}}}", FieldType.MAP),
            ("{x-customType: any}", FieldType.ANY),
            ("{type: duration}", FieldType.DURATION),
            ("{type: component_id}", FieldType.TEXT),
            ("{type: string, x-customType: example.com/a.B}", FieldType.TEXT),
            ("{description: nothing}", FieldType.ANY),
        ],
    )
    def test_each_spelling(self, body: str, expected: FieldType) -> None:
        assert field(body).type is expected

    def test_what_json_schema_says_of_values_is_kept(self) -> None:
        made = field("{type: integer, minimum: 1, maximum: 9, default: 4}")
        assert (made.minimum, made.maximum, made.default) == (1, 9, 4)
        assert field("{type: string, enum: [a, b]}").enum == ("a", "b")

    def test_a_map_of_any_names_has_items_and_an_open_one_is_open(self) -> None:
        named = field("{type: object, additionalProperties: {type: boolean}}")
        assert named.items == Field(FieldType.TRUTH)
        assert field("{type: object, properties: {a: }, additionalProperties: true}").is_open

    def test_a_field_of_go_that_takes_the_rest_opens_the_map_and_is_no_key(self) -> None:
        made = settings("properties: {a: {type: string}, ExtensionCfg: {type: object}}")
        assert (list(made.fields), made.is_open) == (["a"], True)

    def test_what_is_required(self) -> None:
        made = settings("{properties: {a: {type: string}, b: {type: string}}, required: [b]}")
        assert [made.fields[one].is_required for one in "ab"] == [False, True]

    def test_an_optional_map_can_be_switched_off(self) -> None:
        made = field("{x-optional: true, properties: {a: {type: string}}}")
        assert made.fields["enabled"].type is FieldType.TRUTH

    def test_a_deprecated_field_names_its_successor_where_that_stands_beside_it(self) -> None:
        made = settings(
            "properties: {old: {type: string, description: 'Deprecated: use NewName instead.'},"
            " new_name: {type: string, description: 'Not deprecated.'},"
            " lost: {type: string, description: '[Deprecated] do not.'}}"
        )
        found = {name: one.deprecated for name, one in made.fields.items()}
        assert found == {"old": "new_name", "new_name": "", "lost": "what its documentation names"}


class TestReferences:
    TLS = "$defs: {client: {properties: {insecure: {type: boolean}, ca: {$ref: pem}}}, pem: {type: string}}"

    def test_a_definition_of_another_package_is_read_with_its_own_references(self) -> None:
        made = settings(
            f"properties: {{tls: {{$ref: {CORE}/config/configtls.client}}}}", configtls=self.TLS
        )
        assert made.fields["tls"].fields["ca"].type is FieldType.TEXT

    def test_an_embedded_struct_lends_its_fields_and_own_ones_win(self) -> None:
        made = settings(
            f"{{properties: {{ca: {{type: integer}}}}, allOf: [{{$ref: {CORE}/config/configtls.client}}]}}",
            configtls=self.TLS,
        )
        assert set(made.fields) == {"ca", "insecure"}
        assert made.fields["ca"].type is FieldType.INTEGER
        assert not made.is_open

    def test_a_property_that_is_embedded_lends_its_fields_as_well(self) -> None:
        ref = f"{CORE}/config/configtls.client"
        made = settings(f"properties: {{config: {{$ref: {ref}, embed: true}}}}", configtls=self.TLS)
        assert set(made.fields) == {"ca", "insecure"}

    def test_the_words_of_metadata_for_optional_sections_and_items(self) -> None:
        made = settings(
            "properties: {s: {optional: true, properties: {a: {type: string}}},"
            " l: {type: slice, values: {type: bool}}, m: {type: map, values: {type: uint32}}}"
        )
        assert set(made.fields["s"].fields) == {"enabled", "a"}
        assert made.fields["l"].items == Field(FieldType.TRUTH)
        assert made.fields["m"].items == Field(FieldType.UNSIGNED)

    def test_an_embedded_struct_that_is_not_known_leaves_the_map_open(self) -> None:
        made = settings("{properties: {a: {type: string}}, allOf: [{$ref: /no/where.config}]}")
        assert made.is_open

    def test_what_cannot_be_found_may_be_anything(self) -> None:
        assert field("{$ref: /no/where.config}") == Field()

    def test_a_definition_that_holds_itself_ends(self) -> None:
        made = settings("{$defs: {a: {properties: {a: {$ref: a}}}}, properties: {a: {$ref: a}}}")
        assert made.fields["a"].fields["a"].type is FieldType.ANY

    def test_definitions_of_metadata_say_more_and_win(self) -> None:
        package = f"{CORE}/config/configretry"
        exported = {"exported_configs": {"wait": {"type": "duration", "default": "5s"}}}
        schema = {"$defs": {"wait": {"type": "string"}}}
        there = {
            OWN: Published({"properties": {"it": {"$ref": f"{package}.wait"}}}),
            package: Published(schema, exported),
        }
        made = Schemas(there.get).settings_of(OWN)
        assert made is not None
        assert made.fields["it"] == Field(FieldType.DURATION, default="5s")

    def test_the_whole_of_a_package_is_meant_where_no_definition_is_called_config(self) -> None:
        made = settings(
            f"properties: {{it: {{$ref: {CORE}/config/other.config}}}}",
            other="{type: object, properties: {a: {type: string}}}",
        )
        assert set(made.fields["it"].fields) == {"a"}


class TestGoTypes:
    def of(self, ref: str) -> Field:
        return field(f"{{$ref: {ref}}}")

    def test_secrets_are_known_by_their_type(self) -> None:
        assert self.of(f"{CORE}/config/configopaque.string").is_secret

    def test_headers_are_a_map_or_a_list(self) -> None:
        made = self.of(f"{CORE}/config/configopaque.map_list")
        assert made.type is FieldType.MAP
        assert made.is_loose
        assert made.items is not None
        assert made.items.is_secret

    def test_a_number_of_bytes_may_be_a_text(self) -> None:
        assert self.of("/pkg/stanza/operator/helper.byte_size").is_loose


def test_a_package_without_settings_has_none() -> None:
    there: dict[str, Any] = {OWN: Published(None, {"type": "x"})}
    assert Schemas(there.get).settings_of(OWN) is None
    assert Schemas(lambda _: None).settings_of(OWN) is None
