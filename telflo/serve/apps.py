"""Django app of the commands. Loading it makes telflo.celery's application the one that tasks belong to."""

from django.apps import AppConfig

from telflo.celery import app as celery_app

__all__ = ["ServeConfig", "celery_app"]


class ServeConfig(AppConfig):
    """The commands serve, worker and beat."""

    name = "telflo.serve"
    label = "serve"
