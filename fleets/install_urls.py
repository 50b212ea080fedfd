"""URLs of quick deploy for hosts."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
