"""Django app of the design system."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Template tags, components and the kit page."""

    name = "telflo.ui"
    label = "ui"
