"""URLs of configs pages."""

from django.shortcuts import render
from django.urls import URLPattern, path

app_name = "configs"
urlpatterns: list[URLPattern] = [
    path("", lambda request: render(request, "base.html"), name="list")
]
