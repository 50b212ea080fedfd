"""PURE. Statements and conditions held against what there is: functions, parameters, paths, words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from configs.collector.goregex import regex_fault
from configs.collector.ottl import contexts
from configs.collector.ottl.fault import OttlError
from configs.collector.ottl.grammar import Node, TooLargeError, condition, statement
from configs.collector.ottl.signatures import UNSETTLED, Signature, functions_of, since

_WANTED: Final[Mapping[str, str]] = {
    "path": "a path",
    "text": "a text in double quotes",
    "filled": "a text in double quotes that is not empty",
    "int": "a whole number",
    "float": "a number with a point",
    "bool": "true or false",
    "list": "a list",
    "texts": "a list of texts",
    "strings": "a list of texts",
    "floats": "a list of numbers with a point",
    "name": "the name of a function",
}
_OTHER_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "filled": frozenset({"text"}),
    "texts": frozenset({"list"}),
    "strings": frozenset({"list"}),
    "floats": frozenset({"list"}),
    "name": frozenset({"name", "enum"}),
}
_PATTERNS: Final = frozenset({"pattern", "regex_pattern"})
_GLOBS: Final = frozenset({"replace_match", "replace_all_matches", "ExtractGrokPatterns"})
"""Functions whose patterns are of another kind."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands. context: "" where it is taken from the paths · signal: trace, metric, log, profile, or
    "" for any context · is_condition: with functions that change nothing · is_route: of the routing connector, with
    functions of its own · version: of the collector.
    """

    context: str = ""
    signal: str = ""
    is_condition: bool = False
    is_route: bool = False
    version: tuple[int, ...] = ()


def faults(
    texts: Sequence[str], place: Place, conditions: Sequence[str] = ()
) -> Iterator[tuple[int, str]]:
    """What is wrong with statements that belong together: (number, words), at most one for each.

    conditions: those that stand beside statements, which help to find the context.
    """
    trees: list[Node | None] = []
    read = condition if place.is_condition else statement
    for at, text in enumerate(texts):
        try:
            trees.append(read(text))
        except OttlError as fault:
            trees.append(None)
            yield at, fault.words
        except TooLargeError:
            trees.append(None)
    known = [tree for tree in trees if tree]
    context = place.context or _inferred([*known, *_trees(conditions)], place)
    is_lost = not context and bool(place.signal) and not _has_path(known)
    for at, tree in enumerate(trees):
        words = _fault(tree, context, place) if tree else ""
        if tree and is_lost and not words:
            words = "no path says what it is about, such as metric.name"
        if words:
            yield at, words


def _has_path(trees: Sequence[Node]) -> bool:
    return any(node.kind == "path" for tree in trees for node in tree.all())


def _trees(texts: Sequence[str]) -> Iterator[Node]:
    for text in texts:
        try:
            yield condition(text)
        except (OttlError, TooLargeError):
            continue


def _inferred(trees: list[Node], place: Place) -> str:
    """The innermost context that a path names, or a further one inside that has all functions; "" for none."""
    order = contexts.SIGNALS.get(place.signal, ())
    named = {_context_of(node) for tree in trees for node in tree.all() if node.kind == "path"}
    first = next((one for one in order if one in named), "")
    inner = [one for one in order if first in contexts.OUTER[one]] if first else []
    called = {node.text for tree in trees for node in tree.all() if node.kind == "call"}
    fits = (
        one for one in [first, *reversed(inner)] if one and called <= set(_functions(one, place))
    )
    return next(fits, first)


def _context_of(path: Node) -> str:
    first = path.text.partition(".")[0]
    return contexts.ALIASES.get(first, first)


def _functions(context: str, place: Place) -> Mapping[str, Signature]:
    return functions_of(context, is_condition=place.is_condition, is_route=place.is_route)


def _fault(tree: Node, context: str, place: Place) -> str:
    """The first thing that is wrong; "" for nothing."""
    if tree.kind == "call" and not place.is_condition and tree.text[:1].isupper():
        return f"it has to begin with a function that changes something, and {tree.text} does not"
    is_editor = tree.children[0] if tree.kind == "statement" else tree
    for node in tree.all():
        words = ""
        if node.kind == "call":
            words = _call_fault(node, context, place, is_first=node is is_editor)
        elif node.kind == "path":
            words = _path_fault(node, context, place)
        elif node.kind == "enum":
            words = _enum_fault(node, context, place)
        if words:
            return words
    return ""


def _call_fault(call: Node, context: str, place: Place, *, is_first: bool) -> str:
    name = call.text
    if name[:1].islower() and (place.is_condition or not is_first):
        return f"{name} cannot be used as a value: such functions begin with a capital letter"
    known = _functions(context, place)
    signature = known.get(name)
    if signature is None:
        if not contexts.is_known(context):
            return ""
        close = get_close_matches(name, known, n=1)
        return f"there is no function {name} here" + (f", did you mean {close[0]}" if close else "")
    if place.version and place.version < since(name):
        return f"there is no function {name} before {'.'.join(map(str, since(name)))}"
    return "" if name in UNSETTLED else _argument_fault(call, signature)


def _argument_fault(call: Node, signature: Signature) -> str:
    given = [one for one in call.children if one.kind == "argument"]
    least = sum(not one.is_optional for one in signature)
    if not least <= len(given) <= len(signature):
        number = str(least) if least == len(signature) else f"{least} to {len(signature)}"
        return f"{call.text} takes {number} arguments, not {len(given)}"
    by_name = {_go_name(one.name): one for one in signature}
    for at, argument in enumerate(given):
        parameter = by_name.get(_go_name(argument.text)) if argument.text else signature[at]
        if parameter is None:
            return f"{call.text} has no parameter {argument.text}"
        words = _value_fault(call, argument.children[0], parameter.wants, parameter.name)
        if words:
            return words
    return ""


def _go_name(name: str) -> str:
    """Parameters are fields of Go: `resolve_conflicts` and `resolveConflicts` are both ResolveConflicts."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _value_fault(call: Node, value: Node, wants: str, name: str) -> str:
    if "|" in wants:
        return _word_fault(call, value, wants.split("|"), name)
    kinds = _OTHER_KINDS.get(wants, {wants})
    if wants and value.kind not in kinds:
        return f"{name} of {call.text} has to be {_WANTED.get(wants, 'something else')}"
    if wants == "filled" and not _unquoted(value.text):
        return f"{name} of {call.text} has to be {_WANTED[wants]}"
    items = {"texts": "text", "floats": "float"}.get(wants)
    numbers = {"int", "float", "bool", "nil"}
    if wants == "strings" and any(one.kind in numbers for one in value.children):
        return f"{name} of {call.text} has to be {_WANTED[wants]}"
    if items and any(one.kind != items for one in value.children):
        return f"{name} of {call.text} has to be {_WANTED[wants]}"
    if name in _PATTERNS and value.kind == "text" and call.text not in _GLOBS:
        fault = regex_fault(_unquoted(value.text))
        return f"the pattern of {call.text} is none: {fault}" if fault else ""
    return ""


def _word_fault(call: Node, value: Node, words: Sequence[str], name: str) -> str:
    is_right = value.kind == "text" and _unquoted(value.text) in words
    return "" if is_right else f"{name} of {call.text} is one of {', '.join(words)}"


def _path_fault(path: Node, context: str, place: Place) -> str:
    names = path.text.split(".")
    first = contexts.ALIASES.get(names[0], names[0])
    reachable = {context, *contexts.OUTER.get(context, ())}
    if not context and place.signal:
        allowed = ", ".join(reversed(contexts.SIGNALS[place.signal]))
        return f"{names[0]} has to stand below one of {allowed}"
    if first in contexts.OPEN or not contexts.is_known(context):
        return ""
    if first in reachable and len(names) > 1:
        owner, names = first, names[1:]
    elif place.context:
        owner = context
    else:
        return f"{names[0]} is not one of {', '.join(sorted(reachable))}"
    if names[0] == "cache":
        return "" if owner == context else "a cache belongs to the innermost context"
    if names[0] not in contexts.FIELDS[owner]:
        close = get_close_matches(names[0], contexts.FIELDS[owner], n=1)
        return f"{owner} has no {names[0]}" + (f", did you mean {close[0]}" if close else "")
    below = contexts.BELOW.get(names[0], frozenset())
    if len(names) > 2 or (len(names) == 2 and names[1] not in below):
        return f'{names[0]} has no {names[-1]}: what is in a map is written ["{names[-1]}"]'
    return ""


def _enum_fault(enum: Node, context: str, place: Place) -> str:
    if not contexts.is_known(context):
        return ""
    if enum.text in _functions(context, place):
        without = "is taken for a word where no context: stands beside the statements"
        return "" if place.context else f"{enum.text} {without}"
    known = contexts.ENUMS.get(context, frozenset())
    if enum.text in known:
        return ""
    close = get_close_matches(enum.text, known, n=1)
    return f"{context} has no word {enum.text}" + (f", did you mean {close[0]}" if close else "")


def _unquoted(text: str) -> str:
    """The text inside of double quotes, with the escapes that patterns need."""
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
