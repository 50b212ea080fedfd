"""PURE. The routing connector: where its routes lead to (rule C24), and what they are chosen by (a part of C25)."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.ottl.check import Place, faults
from configs.collector.rules.demands import one_of, when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.settings import items
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

_INFERRING: Final = (0, 156)
"""The version from which on a route without a context takes it from its paths, or else the resource's."""
_OWN_CONTEXTS: Final = ("", "resource", "span", "metric", "datapoint", "log", "request")
_INFERRED: Final = ("span", "metric", "datapoint", "log", "otelcol")
_ACTIONS: Final = ("move", "copy")
_COMPARED: Final = re.compile(r"==|!=")
_ASKED: Final = re.compile(r'request\[".*"\]')
_TEXT: Final = re.compile(r'".*"')


@rule("C24", Severity.ERROR, "Routing", contrib("connector/routingconnector"))
def routes(subject: Subject) -> Iterator[Hit]:
    """A condition or a statement, and pipelines that there are."""
    for component in subject.of_type(Kind.CONNECTOR, "routing"):
        if isinstance(component.body, Expansion):
            continue
        path = (*component.path, "table")
        if component.settings.get("table") in (None, ()):
            yield Hit("The connector has no table. Add one route at least.", path, True)
        yield from _pipelines(subject, component, component.path, "default_pipelines")
        for here, one in items(subject, path):
            if not isinstance(one, Expansion):
                yield from _route(subject, component, here, entries_of(one))


RULES: Final[tuple[Rule, ...]] = (routes,)


def choices(subject: Subject, component: Component) -> Iterator[Hit]:
    """What routes are chosen by: OTTL, which is read when the connector is built, or something in a request."""
    for here, one in items(subject, (*component.path, "table")):
        route = entries_of(one)
        key = "condition" if route.get("condition") else "statement"
        text, context = route.get(key), route.get("context") or ""
        if not isinstance(text, str) or context not in _contexts(subject):
            continue
        if context == "request":
            yield from _request((*here, key), text)
        else:
            found = _ottl(subject, (*here, key), text, str(context))
            yield from when_built(subject, component, found)


def _contexts(subject: Subject) -> tuple[str, ...]:
    return _OWN_CONTEXTS if subject.before(*_INFERRING) else (*_OWN_CONTEXTS, "otelcol")


def _request(path: Path, text: str) -> Iterator[Hit]:
    """One comparison of a header with a text, and nothing else (routingconnector/request.go)."""
    left, *right = _COMPARED.split(text)
    is_right = len(right) == 1 and _ASKED.search(left) and _TEXT.search(right[0])
    if path[-1] == "statement" or not is_right:
        message = (
            'A route by request has a condition such as request["tenant"] == "a", and no more.'
        )
        yield Hit(message, path)


def _ottl(subject: Subject, path: Path, text: str, context: str) -> Iterator[Hit]:
    """Wrong where it is wrong in every context that a collector tries."""
    is_condition = path[-1] == "condition"
    inferred = () if subject.before(*_INFERRING) else _INFERRED
    named = (one for one in inferred if f"{one}." in text)
    tried = [
        Place(one, is_condition=is_condition, is_route=True, version=subject.version)
        for one in ((context,) if context else ("resource", *named))
    ]
    found = [next((words for _, words in faults([text], place)), "") for place in tried]
    if all(found):
        yield Hit(f"This {path[-1]} is wrong: {found[-1]}.", path)


def _route(
    subject: Subject, component: Component, path: Path, route: Mapping[str, Value]
) -> Iterator[Hit]:
    has_condition, has_statement = bool(route.get("condition")), bool(route.get("statement"))
    if has_condition == has_statement:
        message = "A route has a condition or a statement, and not both."
        yield Hit(message, (*path, "condition"), True)
    if route.get("pipelines") in (None, ()):
        yield Hit("A route leads to pipelines. Add one.", (*path, "pipelines"), True)
    yield from one_of(path, route, "context", _contexts(subject))
    yield from one_of(path, route, "action", (*_ACTIONS, ""))
    yield from _pipelines(subject, component, path, "pipelines")


def _pipelines(subject: Subject, component: Component, path: Path, key: str) -> Iterator[Hit]:
    """Those that a route leads to receive from the connector."""
    receiving = {
        pipeline.id
        for pipeline in subject.pipelines
        if any(member.id == component.id for member in pipeline.members["receivers"])
    }
    for here, one in items(subject, (*path, key)):
        words = ""
        if one is None:
            words = "There is no pipeline here. Remove the dash."
        elif isinstance(one, str) and one not in receiving and not subject.is_open("service"):
            words = f"{shown(one)} is no pipeline that receives from {component.id}."
        if words:
            yield from when_built(subject, component, [Hit(words, here)])
