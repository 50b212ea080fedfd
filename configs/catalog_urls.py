"""URLs of the component catalog's pages."""

from django.urls import URLPattern, path

from configs.views import catalog

app_name = "catalog"
urlpatterns: list[URLPattern] = [
    path("", catalog.listing, name="list"),
    path("<str:version>/<str:kind>/<str:component_type>/", catalog.detail, name="detail"),
]
