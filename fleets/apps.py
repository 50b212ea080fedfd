"""Django app configuration."""

from django.apps import AppConfig


class FleetsConfig(AppConfig):
    """See docs/architecture.md for what this layer owns."""

    name = "fleets"
