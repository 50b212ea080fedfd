"""URLs of agents pages."""

from django.shortcuts import render
from django.urls import URLPattern, path

app_name = "agents"
urlpatterns: list[URLPattern] = [path("", lambda request: render(request, "base.html"), name="list")]
