"""Django app configuration."""

from django.apps import AppConfig


class ConfigsConfig(AppConfig):
    """See docs/architecture.md for what this layer owns."""

    name = "configs"
