"""Settings held against a collector: here one that answers in the words of real ones."""

from typing import Any

from configs.catalog.building.defaults import with_defaults
from configs.catalog.building.trials import Answer, Ask, leaves, verified
from configs.catalog.building.untold import together
from configs.collector.catalog_types import Field, FieldType

TEXT, WHOLE, TRUTH = Field(FieldType.TEXT), Field(FieldType.INTEGER), Field(FieldType.TRUTH)
_GO = {
    FieldType.TEXT: str,
    FieldType.INTEGER: int,
    FieldType.TRUTH: bool,
    FieldType.LIST: list,
    FieldType.MAP: dict,
}


def of(*, is_open: bool = False, **fields: Field) -> Field:
    return Field(FieldType.MAP, fields=fields, is_open=is_open)


class Fake:
    """A collector whose component has exactly these settings."""

    def __init__(self, truth: Field) -> None:
        self.truth = truth
        self.asked: list[Any] = []

    def __call__(self, settings: Any) -> Answer:
        self.asked.append(settings)
        faults = list(self._faults(settings, self.truth))
        words = "cannot unmarshal the configuration: decoding failed\n\n" + "\n".join(faults)
        return Answer(not faults, words if faults else "")

    def _faults(self, value: Any, field: Field) -> Any:
        if field.type is FieldType.ANY or value is None:
            return
        if type(value) is not _GO[field.type] and not field.is_loose:
            yield "'x' expected type 'a', got unconvertible type 'b'"
        elif isinstance(value, list) and field.items:
            for one in value:
                yield from self._faults(one, field.items)
        elif isinstance(value, dict):
            unknown = (
                [] if field.is_open or field.items else sorted(value.keys() - field.fields.keys())
            )
            if unknown:
                yield "'' has invalid keys: " + ", ".join(unknown)
            for key, one in value.items():
                inner = field.fields.get(key) or field.items
                if inner:
                    yield from self._faults(one, inner)


class Hasty(Fake):
    """Tells the first fault only, as receivers that read their parts themselves."""

    def _faults(self, value: Any, field: Field) -> Any:
        yield from list(super()._faults(value, field))[:1]


def held(claimed: Field, truth: Field) -> Field:
    found = verified(claimed, Fake(truth), {})
    assert found.is_certain
    return found.settings


def test_settings_that_are_right_stay_as_they_are() -> None:
    truth = of(a=TEXT, b=of(c=WHOLE), d=Field(FieldType.LIST, items=of(e=TRUTH)), f=Field())
    assert held(truth, truth) == truth


def test_keys_that_the_collector_refuses_go_wherever_they_are() -> None:
    claimed = of(
        a=TEXT,
        new=TEXT,
        b=of(c=WHOLE, new=WHOLE),
        d=Field(FieldType.LIST, items=of(e=TRUTH, new=TRUTH)),
    )
    truth = of(a=TEXT, b=of(c=WHOLE), d=Field(FieldType.LIST, items=of(e=TRUTH)))
    assert held(claimed, truth) == truth


def test_a_map_in_which_the_collector_takes_any_key_is_open() -> None:
    found = held(of(a=TEXT, b=of(c=WHOLE)), of(a=TEXT, b=of(c=WHOLE, is_open=True)))
    assert (found.is_open, found.fields["b"].is_open) == (False, True)


def test_every_map_is_asked_about_where_only_the_first_fault_is_told() -> None:
    truth = of(a=of(c=WHOLE), b=of(d=TEXT, e=of(f=TRUTH)), g=of(h=TEXT, is_open=True))
    claimed = of(a=of(c=WHOLE, new=TEXT), b=of(d=TEXT, e=of(f=TRUTH, new=TEXT)), g=of(h=TEXT))
    assert verified(claimed, Hasty(truth), {}).settings == truth


def test_no_question_is_asked_twice() -> None:
    fake = Hasty(of(a=of(c=WHOLE), b=of(d=TEXT)))
    verified(of(a=of(c=WHOLE), b=of(d=TEXT)), fake, {})
    assert len({str(one) for one in fake.asked}) == len(fake.asked)


def test_a_field_of_words_that_takes_numbers_has_no_words() -> None:
    """Loose ones with words take no maps: that is not known of this one."""
    claimed = of(a=Field(FieldType.TEXT, enum=("x",)), b=Field(FieldType.MAP, items=TEXT))
    found = held(claimed, of(a=Field(), b=Field())).fields
    assert (found["a"].enum, found["a"].is_loose) == ((), True)
    assert found["b"] == Field()


def test_a_field_that_takes_more_than_its_schema_says_is_loose() -> None:
    found = held(of(a=WHOLE, b=TEXT), of(a=Field(FieldType.INTEGER, is_loose=True), b=TEXT))
    assert [found.fields[one].is_loose for one in "ab"] == [True, False]


def test_a_field_of_another_type_than_its_schema_says_may_be_anything() -> None:
    assert held(of(a=WHOLE), of(a=TEXT)).fields["a"] == Field()


def test_words_of_which_the_collector_takes_others_too_are_loose() -> None:
    assert held(of(a=Field(FieldType.TEXT, enum=("x", "y"))), of(a=TEXT)).fields["a"].is_loose


def test_values_of_maps_with_any_names_are_asked_about_too() -> None:
    claimed = of(a=Field(FieldType.MAP, items=of(b=TEXT, new=TEXT)))
    assert held(claimed, of(a=Field(FieldType.MAP, items=of(b=TEXT)))).fields["a"].items == of(
        b=TEXT
    )


def test_what_cannot_be_understood_is_not_certain() -> None:
    ask: Ask = lambda _: Answer(is_fine=False, words="'' has invalid keys: a")  # noqa: E731
    assert not verified(of(a=TEXT), ask, {}).is_certain


def test_the_base_is_kept_in_every_question() -> None:
    fake = Fake(of(a=TEXT, b=of(c=WHOLE, d=WHOLE)))
    verified(of(a=TEXT, b=of(c=WHOLE, d=WHOLE)), fake, {"b": {"d": 4}})
    assert all(one["b"] == "telflo" or "d" in one["b"] for one in fake.asked)


def test_leaves_are_all_fields_of_a_known_type() -> None:
    field = of(a=TEXT, b=of(c=WHOLE, any=Field()), d=Field(FieldType.LIST, items=TEXT))
    assert [path for path, *_ in leaves(field)] == [("a",), ("b",), ("b", "c"), ("d",), ("d", "[]")]


class TestTogether:
    def test_the_first_says_what_a_key_takes_and_the_other_which_there_are(self) -> None:
        one = of(a=TEXT, b=of(c=WHOLE, is_open=True), d=Field(), e=Field(FieldType.LIST))
        other = of(
            a=WHOLE, b=of(f=TRUTH), d=of(g=TEXT), e=Field(FieldType.LIST, items=of(h=TEXT)), i=TEXT
        )
        assert together(one, other) == of(
            a=TEXT,
            b=of(c=WHOLE, f=TRUTH),
            d=of(g=TEXT),
            e=Field(FieldType.LIST, items=of(h=TEXT)),
            i=TEXT,
        )


class TestDefaults:
    def test_they_are_taken_from_what_a_collector_printed(self) -> None:
        found = with_defaults(
            of(a=TEXT, wait=Field(FieldType.DURATION), b=of(c=WHOLE), none=WHOLE),
            {"a": "x", "wait": "1m0s", "b": {"c": 3}, "none": None},
        )
        defaults = (
            found.fields["a"].default,
            found.fields["wait"].default,
            found.fields["b"].fields["c"].default,
        )
        assert defaults == ("x", "1m", 3)
        assert found.fields["none"].default is None

    def test_a_key_that_the_schema_forgot_is_added_with_its_type(self) -> None:
        found = with_defaults(of(), {"a": True, "b": {"c": 1}, "d": None, "e": []})
        assert {name: one.type for name, one in found.fields.items()} == {
            "a": FieldType.TRUTH,
            "b": FieldType.MAP,
            "d": FieldType.ANY,
            "e": FieldType.LIST,
        }
        assert found.fields["b"].fields["c"].default == 1

    def test_a_key_of_an_open_map_is_known_and_the_map_stays_open(self) -> None:
        found = with_defaults(of(is_open=True), {"a": "1m0s", "b": "x"})
        assert found.is_open
        assert found.fields["a"].type is FieldType.DURATION
        assert found.fields["b"].type is FieldType.TEXT

    def test_a_setting_without_a_type_has_that_of_what_was_printed(self) -> None:
        found = with_defaults(of(a=Field(), b=Field()), {"a": "proto", "b": None})
        assert found == of(a=Field(FieldType.TEXT, default="proto"), b=Field())

    def test_secrets_and_what_is_hidden_are_no_defaults(self) -> None:
        secret = Field(FieldType.TEXT, is_secret=True)
        found = with_defaults(of(a=secret, b=TEXT), {"a": "hunter2", "b": "[REDACTED]"})
        assert [one.default for one in found.fields.values()] == [None, None]

    def test_a_map_of_any_names_gets_no_keys(self) -> None:
        field = of(a=Field(FieldType.MAP, items=TEXT))
        assert with_defaults(field, {"a": {"x": "y"}}) == field
