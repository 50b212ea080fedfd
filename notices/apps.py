"""Django app configuration."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """See docs/architecture.md for what this layer owns."""

    name = "notices"
