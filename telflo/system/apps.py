"""Django app configuration."""

from django.apps import AppConfig


class SystemConfig(AppConfig):
    """See docs/architecture.md for what this part owns."""

    name = "telflo.system"
    label = "system"
