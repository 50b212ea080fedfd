"""The app that all others share."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """People, access, activity and API manners."""

    name = "telflo.base"
    label = "base"
