"""URLs of the notifications under Settings."""

from django.urls import URLPattern, path

from notices.views import changing, log

app_name = "notices"

urlpatterns: list[URLPattern] = [
    path("", log.subscriptions, name="list"),
    path("new/<slug:channel>/", changing.new, name="new"),
    path("<uuid:subscription_id>/", log.detail, name="detail"),
    path("<uuid:subscription_id>/edit/", changing.edit, name="edit"),
    path("<uuid:subscription_id>/test/", changing.test, name="test"),
    path("<uuid:subscription_id>/secret/", changing.secret, name="secret"),
    path("<uuid:subscription_id>/pause/", changing.pause, name="pause"),
    path("<uuid:subscription_id>/resume/", changing.resume, name="resume"),
    path("<uuid:subscription_id>/delete/", changing.delete, name="delete"),
]
