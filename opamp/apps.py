"""Django app configuration."""

from django.apps import AppConfig


class OpampConfig(AppConfig):
    """See docs/architecture.md for what this layer owns."""

    name = "opamp"
