"""Django app configuration."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """See docs/architecture.md for what this layer owns."""

    name = "agents"
