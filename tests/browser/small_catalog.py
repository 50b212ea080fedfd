"""A small catalog, as the API answers it to the editor: what it offers and says is known to the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playwright.sync_api import Page, Route

_HAS_A_CATALOG: Final = """
new MutationObserver(() => {
  for (const editor of document.querySelectorAll("config-editor")) {
    editor.dataset.catalogUrl = "/api/v1/catalog/";
  }
}).observe(document, { childList: true, subtree: true });
"""
VERSIONS: Final = ("0.158.0", "0.149.0")


def give_catalog(page: Page) -> None:
    """Answer the editor's requests for catalogs here."""
    page.add_init_script(_HAS_A_CATALOG)
    page.route("**/api/v1/catalog/", lambda route: route.fulfill(json={"versions": VERSIONS}))
    page.route("**/api/v1/catalog/*/components/", _components)
    page.route("**/api/v1/catalog/*/components/exporters/debug/", _debug)


def _component(kind: str, type_: str, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "aliases": [],
        "signals": {},
        "pairs": [],
        "stability": None,
        "deprecated": "",
    }
    return {
        "kind": kind,
        "type": type_,
        "doc_url": f"https://docs.example/{type_}",
        **plain,
        **more,
    }


def _components(route: Route) -> None:
    debug = _component("exporters", "debug", signals={"traces": "beta", "logs": "beta"})
    components = [
        _component("receivers", "otlp", signals={"traces": "stable", "logs": "stable"}),
        _component("processors", "batch", signals={"traces": "beta"}),
        debug,
        _component("exporters", "otlp_grpc", aliases=["otlp"], signals={"traces": "stable"}),
    ]
    if "/0.149.0/" not in route.request.url:
        components.append(_component("receivers", "host_metrics", signals={"metrics": "beta"}))
    route.fulfill(json={"components": components})


def _field(name: str, type_: str, **more: Any) -> Mapping[str, Any]:
    empty: dict[str, Any] = {
        "default": None,
        "enum": [],
        "minimum": None,
        "maximum": None,
        "fields": [],
        "items": None,
    }
    flags = {"required": False, "secret": False, "deprecated": "", "open": False}
    return {"name": name, "type": type_, **empty, **flags, **more}


def _debug(route: Route) -> None:
    fields = [
        _field("verbosity", "string", enum=["basic", "normal", "detailed"], default="basic"),
        _field("use_internal_logger", "bool", default=True),
        _field("sending_queue", "map", fields=[_field("queue_size", "int", default=1000)]),
    ]
    config = _field("", "map", fields=fields)
    route.fulfill(json={**_component("exporters", "debug"), "config": config})
