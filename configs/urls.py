"""URLs of the configurations' pages."""

from django.urls import URLPattern, path

from configs.views import compare, configurations, editing, versions

app_name = "configs"
urlpatterns: list[URLPattern] = [
    path("", configurations.listing, name="list"),
    path("new/", editing.new, name="new"),
    path("<uuid:configuration_id>/", configurations.detail, name="detail"),
    path("<uuid:configuration_id>/edit/", configurations.edit, name="edit"),
    path("<uuid:configuration_id>/archive/", configurations.archive, name="archive"),
    path("<uuid:configuration_id>/compare/", compare.compare, name="compare"),
    path("<uuid:configuration_id>/versions/new/", editing.new_version, name="version-new"),
    path("<uuid:configuration_id>/versions/<int:number>/", versions.detail, name="version"),
    path("<uuid:configuration_id>/versions/<int:number>/raw/", versions.raw, name="version-raw"),
    path(
        "<uuid:configuration_id>/versions/<int:number>/publish/",
        versions.publish,
        name="version-publish",
    ),
    path(
        "<uuid:configuration_id>/versions/<int:number>/archive/",
        versions.archive,
        name="version-archive",
    ),
]
