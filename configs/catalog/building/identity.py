"""PURE. What a metadata.yaml says about a component: names, signals, stability, distributions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from configs.collector.catalog_types import Component, Stability
from configs.collector.names import SIGNALS, Kind

KINDS: Final[Mapping[str, Kind]] = {kind.value[:-1]: kind for kind in Kind}
"""As metadata.yaml names them: `receiver`, not `receivers`."""
_LEVELS: Final = frozenset(Stability)


def identity_of(metadata: Any, module: str) -> Component | None:
    """The component that a metadata.yaml describes, without settings; None when it describes something else.

    module: the Go module that the file lies in.
    """
    if not isinstance(metadata, Mapping):
        return None
    status, name = _map(metadata.get("status")), metadata.get("type")
    kind = KINDS.get(str(status.get("class")))
    if kind is None or not isinstance(name, str):
        return None
    bare = Component(
        kind,
        name,
        aliases=_aliases(metadata),
        module=module,
        distributions=tuple(sorted(_texts(status.get("distributions")))),
    )
    return with_levels(bare, dict(_levels(_map(status.get("stability")))))


def with_levels(one: Component, levels: Mapping[str, str]) -> Component:
    """The component with the stability of signals, of pairs such as `traces_to_metrics`, or of an `extension`."""
    known = {what: Stability(level) for what, level in levels.items() if level in _LEVELS}
    return replace(
        one,
        signals={signal: known[signal] for signal in SIGNALS if signal in known},
        pairs=dict(_pairs(known)),
        stability=known.get("extension"),
    )


def _aliases(metadata: Mapping[str, Any]) -> frozenset[str]:
    old = metadata.get("deprecated_type")
    return frozenset({old} if isinstance(old, str) and old else ())


def _levels(stability: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each level is said of, turned round."""
    for level, subjects in stability.items():
        for subject in _texts(subjects):
            yield subject, level


def _pairs(levels: Mapping[str, Stability]) -> Iterator[tuple[tuple[str, str], Stability]]:
    for subject, level in sorted(levels.items()):
        source, divider, target = subject.partition("_to_")
        if divider and source in SIGNALS and target in SIGNALS:
            yield (source, target), level


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
