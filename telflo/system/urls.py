"""URLs of the System page and of metrics."""

from django.urls import URLPattern, path

from telflo.system import scraping, views

urlpatterns: list[URLPattern] = [
    path("metrics", scraping.metrics, name="metrics"),
    path("settings/system/", views.system, name="system"),
    path("settings/limits/", views.limits, name="limits"),
]
