"""The app that all others share."""

import importlib

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """People, access, activity and API manners."""

    name = "telflo.base"
    label = "base"

    def ready(self) -> None:
        """Put what changes Django's own behaviour in place."""
        importlib.import_module("telflo.base.among")
        importlib.import_module("telflo.base.moments")
