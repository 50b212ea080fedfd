"""URLs of the design system: the theme switch without script, and the kit while developing."""

from django.conf import settings
from django.urls import URLPattern, path

from telflo.ui import views

urlpatterns: list[URLPattern] = [path("theme/", views.set_theme, name="theme")]

if settings.DEBUG:
    urlpatterns.append(path("kit/", views.kit, name="kit"))
