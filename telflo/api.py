"""The root of the REST API: what each app offers, put together; its schema and its documentation."""

from functools import lru_cache
from typing import Any

from django.http import HttpResponseRedirect
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.api import router as agents_router
from configs.api import router as configs_router
from configs.api_catalog import CatalogsView, ComponentsView, ComponentView
from fleets.api import router as fleets_router
from notices.api import router as notices_router
from telflo.base.access import Action
from telflo.base.api import schemes as _schemes  # noqa: F401 - found by being imported
from telflo.base.api.resources import router as base_router
from telflo.home.api import OverviewView
from telflo.system.api import SystemView


@lru_cache(maxsize=4)
def _schema(version: str | None) -> Any:
    made = SchemaGenerator(api_version=version)  # type: ignore[no-untyped-call]  # has no types
    return made.get_schema(public=True)  # type: ignore[no-untyped-call]  # has no types


class MadeOnce(SchemaGenerator):
    """The schema takes half a second to be made, and is the same for everybody."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> Any:
        """See SchemaGenerator."""
        return _schema(self.api_version)


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as JSON or (?format=yaml) YAML."""

    generator_class = MadeOnce
    required_actions = {"get": Action.VIEW}
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own files, its start script apart, so that the content security policy holds."""

    required_actions = {"get": Action.VIEW}
    template_name = "api/docs.html"


class IndexView(APIView):
    """The addresses above all calls lead to the documentation."""

    required_actions = {"get": Action.VIEW}
    renderer_classes = (JSONRenderer,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseRedirect:
        """302."""
        return HttpResponseRedirect(reverse("api-docs"))


class UnknownAddress(APIView):
    """Every other address below /api/: a problem, not a page."""

    required_actions = dict.fromkeys(("get", "post", "put", "patch", "delete"), Action.VIEW)
    renderer_classes = (JSONRenderer,)

    @extend_schema(exclude=True)
    def get(self, request: Request, **_parts: str) -> Response:
        """404."""
        raise NotFound("There is nothing at this address. /api/v1/docs/ lists what there is.")

    post = put = patch = delete = get


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(agents_router.urls)),
    path("", include(configs_router.urls)),
    path("", include(fleets_router.urls)),
    path("", include(notices_router.urls)),
    path("", include(base_router.urls)),
    path("catalog/", CatalogsView.as_view(), name="api-catalog"),
    path("catalog/<str:version>/components/", ComponentsView.as_view(), name="api-components"),
    path(
        "catalog/<str:version>/components/<str:kind>/<str:component_type>/",
        ComponentView.as_view(),
        name="api-component",
    ),
    path("overview/", OverviewView.as_view(), name="api-overview"),
    path("system/", SystemView.as_view(), name="api-system"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("", IndexView.as_view(), name="api-v1"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^.*$", UnknownAddress.as_view(), name="api-unknown"),
]
