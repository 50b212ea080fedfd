"""URLs of the configurations' pages."""

from django.urls import URLPattern, path

from configs.views import compare, configurations, creating, drafting, versions

app_name = "configs"
urlpatterns: list[URLPattern] = [
    path("", configurations.listing, name="list"),
    path("new/", creating.new, name="new"),
    path("<uuid:configuration_id>/", configurations.detail, name="detail"),
    path("<uuid:configuration_id>/edit/", configurations.edit, name="edit"),
    path("<uuid:configuration_id>/archive/", configurations.archive, name="archive"),
    path("<uuid:configuration_id>/compare/", compare.compare, name="compare"),
    path("<uuid:configuration_id>/draft/", drafting.draft, name="draft"),
    path("<uuid:configuration_id>/draft/discard/", drafting.discard, name="draft-discard"),
    path("<uuid:configuration_id>/draft/findings/", drafting.findings, name="draft-findings"),
    path("<uuid:configuration_id>/draft/state/", drafting.state, name="draft-state"),
    path("<uuid:configuration_id>/versions/<int:number>/", versions.detail, name="version"),
    path("<uuid:configuration_id>/versions/<int:number>/raw/", versions.raw, name="version-raw"),
    path("<uuid:configuration_id>/versions/<int:number>/copy/", versions.copy, name="version-copy"),
    path(
        "<uuid:configuration_id>/versions/<int:number>/restore/",
        versions.restore,
        name="version-restore",
    ),
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
