"""The templates of the gallery, without what the collectors of these tests are built without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from configs.starting import TEMPLATES

LACKING: Final = frozenset(
    {"file_storage", "k8s_attributes", "prometheus", "redaction", "resource_detection"}
)
"""Types that no collector of the tests has."""
SET: Final = {"OTLP_ENDPOINT": "https://gateway.example.com:4317", "OTLP_TOKEN": "abc"}
"""What the templates ask hosts for. The collectors of the tests get no environment."""
_SECTIONS: Final = ("receivers", "processors", "exporters", "extensions")
_SOURCE: Final = "nop"
"""Where data comes from when the receivers of a pipeline are gone."""


def cut_templates(load: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and value of each; load: reads YAML."""
    for one in TEMPLATES:
        text = one.text
        for name, value in SET.items():
            text = text.replace(f"${{env:{name}}}", value)
        yield one.slug, _cut(load(text))


def _cut(value: dict[str, Any]) -> dict[str, Any]:
    gone = {
        name for section in _SECTIONS for name in value.get(section, ()) if _type(name) in LACKING
    }
    for section in _SECTIONS:
        left = {name: body for name, body in value.pop(section, {}).items() if name not in gone}
        if left:
            value[section] = _without_storage(left, gone)
    service = value["service"]
    service["extensions"] = [one for one in service["extensions"] if one not in gone]
    for pipeline in service["pipelines"].values():
        for role, members in pipeline.items():
            pipeline[role] = [one for one in members if one not in gone]
        if not pipeline["receivers"]:
            pipeline["receivers"] = [_SOURCE]
            value.setdefault("receivers", {})[_SOURCE] = None
    return value


def _without_storage(value: Any, gone: set[str]) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {key: one for key, one in value.items() if key != "storage" or one not in gone}
    return {key: _without_storage(one, gone) for key, one in kept.items()}


def _type(name: str) -> str:
    return name.partition("/")[0]
