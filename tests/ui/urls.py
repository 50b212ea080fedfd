"""A URL map with every name that the shell links to, so that parts can be rendered by themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path

from telflo.ui import views


def empty_page(request: HttpRequest) -> HttpResponse:
    """The shell without content."""
    return render(request, "base.html")


def _section(name: str) -> tuple[list[URLPattern], str]:
    return [path("", empty_page, name="list")], name


urlpatterns: list[URLPattern | URLResolver] = [
    path("", empty_page, name="overview"),
    path("fleets/", include(_section("fleets"))),
    path("collectors/", include(_section("agents"))),
    path("configurations/", include(_section("configs"))),
    path("rollouts/", include(_section("rollouts"))),
    path("catalog/", include(_section("catalog"))),
    path("tokens/", include(_section("tokens"))),
    path("activity/", empty_page, name="activity"),
    path("settings/", empty_page, name="settings"),
    path("login/", empty_page, name="login"),
    path("logout/", empty_page, name="logout"),
    path("profile/", empty_page, name="profile"),
    path("theme/", views.set_theme, name="theme"),
    path("kit/", views.kit, name="kit"),
]
