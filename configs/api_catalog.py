"""The component catalog for programs: the same for everybody, and unchanged until the next release."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from configs import catalog
from configs.collector.catalog_types import Catalog, Component, Field, Stability
from configs.collector.names import Kind
from configs.collector.values import Expansion
from telflo.base.access import Action
from telflo.base.api.filters import refuse_unknown_parameters

_KEPT: Final = {"Cache-Control": "private, max-age=300"}


class CatalogsSerializer(serializers.Serializer[Any]):
    """The collector versions that catalogs are there for."""

    versions = serializers.ListField(child=serializers.CharField(), help_text="newest first")


class PairSerializer(serializers.Serializer[Any]):
    """What a connector takes, and what it makes of it."""

    # "from" is a word of Python.
    to = serializers.CharField()
    stability = serializers.CharField(help_text=", ".join(Stability))

    def get_fields(self) -> dict[str, Any]:
        """See Serializer."""
        return {"from": serializers.CharField(), **super().get_fields()}


class ComponentSerializer(serializers.Serializer[Any]):
    """A component of a collector version, without its settings."""

    kind = serializers.CharField(help_text=", ".join(Kind))
    type = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField(), help_text="older names")
    signals = serializers.DictField(child=serializers.CharField(), help_text="signal → stability")
    pairs = PairSerializer(many=True)
    stability = serializers.CharField(allow_null=True, help_text="of an extension")
    deprecated = serializers.CharField(help_text="what to use instead, or empty")
    doc_url = serializers.CharField()
    module = serializers.CharField()
    distributions = serializers.ListField(child=serializers.CharField())
    is_verified = serializers.BooleanField(help_text="any other setting is certainly wrong")
    source_version = serializers.CharField(help_text="the version that its facts are from")


class ComponentsSerializer(serializers.Serializer[Any]):
    """All components of a collector version."""

    version = serializers.CharField()
    distribution = serializers.CharField()
    components = ComponentSerializer(many=True)


class SettingsSerializer(ComponentSerializer):
    """A component with its settings."""

    settings_version = serializers.CharField(help_text="the version that its settings are from")
    config = serializers.DictField(
        allow_null=True,
        help_text="name, type, default, enum, minimum, maximum, required, secret, deprecated, fields (of a map), items"
        " (of a list, or the values of a map with any keys), open (other keys too), loose (other values too);"
        " null when the settings are not known",
    )


class CatalogsView(APIView):
    """Which catalogs there are."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=CatalogsSerializer)
    def get(self, request: Request) -> Response:
        """The versions."""
        refuse_unknown_parameters(request, set())
        return _answer({"versions": list(catalog.versions())})


class ComponentsView(APIView):
    """The components of one version."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=ComponentsSerializer)
    def get(self, request: Request, version: str) -> Response:
        """All of them, without their settings."""
        refuse_unknown_parameters(request, set())
        there = _catalog(version)
        components = [_component(one, there.version) for one in there.every()]
        return _answer(
            {
                "version": there.version,
                "distribution": there.distribution,
                "components": components,
            }
        )


class ComponentView(APIView):
    """One component of a version."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=SettingsSerializer, operation_id="catalog_component_retrieve")
    def get(self, request: Request, version: str, kind: str, component_type: str) -> Response:
        """The component with its settings; an older name is understood."""
        refuse_unknown_parameters(request, set())
        there = _catalog(version)
        one = there.find(Kind(kind), component_type) if kind in set(Kind) else None
        if one is None:
            raise NotFound(f"{there.distribution} {there.version} has no {kind} {component_type}.")
        settings = {
            "settings_version": one.settings_from or there.version,
            "config": None if one.config is None else _field("", one.config),
        }
        return _answer({**_component(one, there.version), **settings})


def _answer(body: Mapping[str, Any]) -> Response:
    return Response(body, headers=_KEPT)


def _catalog(version: str) -> Catalog:
    there = catalog.load(version)
    if there is None:
        raise NotFound(f"There is no catalog of {version}. /api/v1/catalog/ lists the versions.")
    return there


def _component(one: Component, version: str) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "type": one.type,
        "aliases": sorted(one.aliases),
        "signals": one.signals,
        "pairs": [
            {"from": source, "to": target, "stability": level}
            for (source, target), level in one.pairs.items()
        ],
        "stability": one.stability,
        "deprecated": one.deprecated,
        "doc_url": one.doc_url,
        "module": one.module,
        "distributions": one.distributions,
        "is_verified": one.is_verified,
        "source_version": one.facts_from or version,
    }


def _field(name: str, field: Field) -> dict[str, Any]:
    default = field.default.text if isinstance(field.default, Expansion) else field.default
    return {
        "name": name,
        "type": field.type,
        "default": default,
        "enum": field.enum,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "required": field.is_required,
        "secret": field.is_secret,
        "deprecated": field.deprecated,
        "fields": [_field(inner, one) for inner, one in field.fields.items()],
        "items": None if field.items is None else _field("", field.items),
        "open": field.is_open,
        "loose": field.is_loose,
    }
