"""PURE. Questions to a real collector: configurations that hold keys which nobody knows, and values of the wrong type.

What it answers corrects the settings of a schema: keys that it refuses go, maps where it takes any key are open, values
that it takes although they are of another type make a field loose.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from configs.collector.catalog_types import Field, FieldType

PROBE: Final = "telflo_probe_"
"""Begins a key that no component has; its number tells the map it stands in."""
ANY_NAME: Final = "telflo_name"
Path = tuple[str, ...]
"""Keys from a component's settings down; ITEM for any item of a list."""
ITEM: Final = "[]"
_INVALID: Final = re.compile(r"has invalid keys: ([^\n\"]+)")
_DECODING: Final = ("cannot unmarshal", "decoding failed", "expected type", "cannot parse")
_SAMPLES: Final[Mapping[FieldType, Any]] = {
    FieldType.TEXT: "telflo",
    FieldType.INTEGER: 1,
    FieldType.UNSIGNED: 1,
    FieldType.NUMBER: 0.5,
    FieldType.TRUTH: True,
    FieldType.DURATION: "1s",
}
_WRONG_WORD: Final = "telflo"
_WRONG_NUMBER: Final = 17
_HOLDING: Final = frozenset({FieldType.MAP, FieldType.LIST})
_SWITCH: Final = "enabled"
"""Is read before all else of a section: a wrong value there hides what is wrong beside it."""
_TAKES_WORDS: Final = frozenset({FieldType.TEXT, FieldType.LIST})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a collector said to a configuration."""

    is_fine: bool
    words: str

    @property
    def is_undecodable(self) -> bool:
        """Whether it could not read the settings, whatever it thinks of their values."""
        return not self.is_fine and any(one in self.words for one in _DECODING)


Ask = Callable[[Any], Answer]
"""Asks about the settings of one component."""


@dataclass(frozen=True, slots=True)
class Verified:
    """is_certain: every key was asked about, and no answer was beyond understanding."""

    settings: Field
    is_certain: bool


def verified(settings: Field, ask: Ask, base: Mapping[str, Any], rounds: int = 6) -> Verified:
    """The settings as a collector takes them. base: what the component needs to be valid."""
    ask = _once_each(ask)
    for _ in range(rounds):
        corrected, answer = _keys_corrected(settings, ask, base)
        if corrected == settings:
            return Verified(_types_corrected(settings, ask, base, answer), _is_clear(answer))
        settings = corrected
    return Verified(settings, is_certain=False)


def _keys_corrected(settings: Field, ask: Ask, base: Mapping[str, Any]) -> tuple[Field, Answer]:
    """After one question with every key, and one more that is unknown in every map; with the answer."""
    numbers: dict[Path, int] = {}
    whole = _example(settings, (), numbers)
    answer = ask({**whole, **{key: one for key, one in base.items() if key not in whole}})
    refused = _refused(answer)
    by_path = {
        path: refused[number] if number in refused else _refused_alone(settings, path, ask, base)
        for path, number in numbers.items()
    }
    return _corrected(settings, (), by_path), answer


def _refused(answer: Answer) -> Mapping[int, set[str]]:
    """By the number of the map the keys that were refused there beside its probe."""
    refused: dict[int, set[str]] = {}
    for names in map(_names, _INVALID.findall(answer.words)):
        others = {name for name in names if not name.startswith(PROBE)}
        refused.setdefault(_number_in(names), set()).update(others)
    return refused


def _refused_alone(
    settings: Field, path: Path, ask: Ask, base: Mapping[str, Any]
) -> set[str] | None:
    """After a question about one map: some components tell only the first of several faults. None when the unknown
    key is taken there.
    """
    field = at(settings, path)
    assert field is not None
    example = {name: _fitting(one) for name, one in field.fields.items()}
    example = {**example, **_below(base, path), f"{PROBE}0": True}
    return _refused(ask(_nested(path, example, base))).get(0)


def _below(base: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """What the base has in the map at a path."""
    found: Any = base
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _once_each(ask: Ask) -> Ask:
    """The same, which remembers its answers."""
    answers: dict[str, Answer] = {}

    def asked(settings: Any) -> Answer:
        question = json.dumps(settings)
        if question not in answers:
            answers[question] = ask(settings)
        return answers[question]

    return asked


def _is_clear(answer: Answer) -> bool:
    """Whether it is known of all refused keys in which map they are."""
    return all(_number_in(_names(found)) >= 0 for found in _INVALID.findall(answer.words))


def _number_in(names: list[str]) -> int:
    """The number of the probe among them; -1 without one."""
    probe = next((name for name in names if name.startswith(PROBE)), "")
    return int(probe.removeprefix(PROBE) or -1)


def _names(found: str) -> list[str]:
    return [name.strip() for name in found.split(",")]


def _example(field: Field, path: Path, numbers: dict[Path, int]) -> Any:
    """A value with everything in it."""
    if field.type is FieldType.LIST:
        return [] if field.items is None else [_example(field.items, (*path, ITEM), numbers)]
    if field.type is not FieldType.MAP:
        return _sample(field)
    example: dict[str, Any] = {
        name: _example(one, (*path, name), numbers) for name, one in field.fields.items()
    }
    if field.items is not None:
        example[ANY_NAME] = _example(field.items, (*path, ANY_NAME), numbers)
    elif field.fields and not field.is_open:
        numbers[path] = len(numbers)
        example[f"{PROBE}{numbers[path]}"] = True
    return example


def _sample(field: Field) -> Any:
    if field.default is not None:
        return field.default
    return field.enum[0] if field.enum else _SAMPLES.get(field.type)


def _corrected(field: Field, path: Path, refused: Mapping[Path, set[str] | None]) -> Field:
    """refused: by the path of a map the keys that were refused there; None where no key was."""
    items = field.items
    if items is not None:
        step = ITEM if field.type is FieldType.LIST else ANY_NAME
        items = _corrected(items, (*path, step), refused)
    there = refused.get(path, set()) or set()
    fields = {
        name: _corrected(one, (*path, name), refused)
        for name, one in field.fields.items()
        if name not in there
    }
    is_open = field.is_open or (path in refused and refused[path] is None)
    return replace(field, fields=fields, items=items, is_open=is_open)


def _types_corrected(settings: Field, ask: Ask, base: Mapping[str, Any], fitting: Answer) -> Field:
    """After a question for each field with a fitting value, and one with a value of another type.

    fitting: the answer to fitting values for all. When nothing but keys was wrong there, and wrong values for all
    single settings draw one complaint each, these need no questions of their own. Fields of one name in maps of the
    same keys are the same setting in several places, and asked about once.
    """
    only_keys = all(_INVALID.search(line) for line in complaints(fitting))
    is_settled = only_keys and _all_are_refused(settings, ask)
    alike: dict[Any, list[Path]] = {}
    for path, field, beside in leaves(settings):
        key = (path[-1], beside, field.type, field.enum)
        alike.setdefault(key, []).append(path)
    for paths in alike.values():
        first = at(settings, paths[0])
        if first is None or first.type is FieldType.ANY:
            continue  # it is inside of what may be anything
        ask_there = partial(_ask_at, ask, base, paths[0])
        is_known = is_settled and first.type not in _HOLDING and paths[0][-1] != _SWITCH
        correct = _correction(first, ask_there, is_type_known=is_known)
        for path in paths if correct else ():
            there = at(settings, path)
            if correct and there is not None:
                settings = changed(settings, path, correct(there))
    return settings


def _ask_at(ask: Ask, base: Mapping[str, Any], path: Path, value: Any) -> Answer:
    return ask(_nested(path, value, base))


def _correction(field: Field, ask: Ask, *, is_type_known: bool) -> Callable[[Field], Field] | None:
    """What is to be done with such a field; nothing when the collector takes what the schema says."""
    if is_type_known:
        return _loosened if _takes_other_words(field, ask) else None
    if ask(_fitting(field)).is_undecodable:
        return _anything
    if not ask(_unfitting(field)).is_undecodable:
        return _of_other_types
    return _loosened if _takes_other_words(field, ask) else None


def _anything(field: Field) -> Field:
    return Field(is_secret=field.is_secret)


def _loosened(field: Field) -> Field:
    """What takes other words. What a loose field with an enum, or of items, does not take is certain (see Field)."""
    return replace(field, is_loose=True)


def _of_other_types(field: Field) -> Field:
    if field.type is FieldType.MAP and field.items is not None:
        return _anything(field)
    return replace(field, is_loose=True, enum=())


def _takes_other_words(field: Field, ask: Ask) -> bool:
    return bool(field.enum) and ask(_WRONG_WORD).is_fine


def _all_are_refused(settings: Field, ask: Ask) -> bool:
    """Whether a wrong value for every single setting draws as many complaints."""
    wrong, count = _all_wrong(settings)
    return len(complaints(ask(wrong))) == count


def complaints(answer: Answer) -> list[str]:
    """The lines that name a fault; those that lead in to others end with a colon."""
    lines = map(str.strip, answer.words.splitlines())
    return [line for line in lines if line.startswith(("'", "error decoding")) and line[-1] != ":"]


def _all_wrong(field: Field) -> tuple[Any, int]:
    """A value in which every single setting of a known type is wrong, and how many they are."""
    if field.is_loose or field.type is FieldType.ANY:
        return None, 0
    if field.type is FieldType.LIST:
        inner, count = _all_wrong(field.items or Field())
        return ([inner] if count else []), count
    if field.type is not FieldType.MAP:
        return _unfitting(field), 1
    parts = {name: _all_wrong(one) for name, one in field.fields.items() if name != _SWITCH}
    if field.items is not None:
        parts[ANY_NAME] = _all_wrong(field.items)
    return {name: value for name, (value, n) in parts.items() if n}, sum(
        n for _, n in parts.values()
    )


def leaves(field: Field, path: Path = ()) -> Iterator[tuple[Path, Field, frozenset[str]]]:
    """The fields inside that are of a known type and not loose, with their paths and the names beside them.

    Maps come before what is in them.
    """
    names = frozenset(field.fields)
    step = ITEM if field.type is FieldType.LIST else ANY_NAME
    inner = [*field.fields.items(), *([(step, field.items)] if field.items else [])]
    for name, one in inner:
        if one.type is not FieldType.ANY and not one.is_loose:
            yield (*path, name), one, names
        yield from leaves(one, (*path, name))


def at(field: Field, path: Path) -> Field | None:
    """The field at a path; None where there is none."""
    found: Field | None = field
    for step in path:
        if found is None:
            return None
        found = found.items if step in {ITEM, ANY_NAME} else found.fields.get(step)
    return found


def _fitting(field: Field) -> Any:
    if field.type is FieldType.MAP:
        return {}
    return [] if field.type is FieldType.LIST else _sample(field)


def _unfitting(field: Field) -> Any:
    return _WRONG_NUMBER if field.type in _TAKES_WORDS else _WRONG_WORD


def _nested(path: Path, value: Any, base: Mapping[str, Any]) -> Any:
    """The base with a value at a path."""
    if not path:
        return base if value == {} else value
    step, rest = path[0], path[1:]
    if step == ITEM:
        return [_nested(rest, value, {})]
    below = base.get(step)
    inner = _nested(rest, value, below if isinstance(below, Mapping) else {})
    return {**base, step: inner}


def changed(field: Field, path: Path, new: Field) -> Field:
    """The field with another one at a path; what is not there any more stays away."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    inner = field.items if step in {ITEM, ANY_NAME} else field.fields.get(step)
    if inner is None:
        return field
    if step in {ITEM, ANY_NAME}:
        return replace(field, items=changed(inner, rest, new))
    return replace(field, fields={**field.fields, step: changed(inner, rest, new)})
