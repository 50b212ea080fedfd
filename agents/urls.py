"""URLs of the collectors' pages."""

from django.urls import URLPattern, path

from agents.views import adopting, bulk, changes, detail, export, listing

app_name = "agents"
urlpatterns: list[URLPattern] = [
    path("", listing.listing, name="list"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("collectors.csv", export.export, name="export"),
    path("<uuid:uid>/", detail.overview, name="detail"),
    path("<uuid:uid>/configuration/", detail.configuration, name="configuration"),
    path("<uuid:uid>/timeline/", detail.timeline, name="timeline"),
    path("<uuid:uid>/attempts/", detail.attempts, name="attempts"),
    path("<uuid:uid>/components/", detail.components, name="components"),
    path("<uuid:uid>/messages/", detail.messages, name="messages"),
    path("<uuid:uid>/edit/", changes.edit, name="edit"),
    path("<uuid:uid>/move/", changes.move, name="move"),
    path("<uuid:uid>/forget/", changes.forget, name="forget"),
    path("<uuid:uid>/mode/", changes.mode, name="mode"),
    path("<uuid:uid>/adopt/", adopting.adopt, name="adopt"),
    path("<uuid:uid>/restart/", changes.restart, name="restart"),
    path("<uuid:uid>/retry/", changes.retry, name="retry"),
]
