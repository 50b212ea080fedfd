"""The Celery application: JSON messages, tasks of every installed app and of telflo.tasks."""

import os
from typing import Any, Final, Self

from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")

_AGAIN_S: Final = 2


class SoonBack(Connection):
    """A connection to a broker that is tried again every 2 s, however long it was away.

    Celery waits 2 s longer after each try, up to 30 s: so long rollouts would stand still once Redis is back.
    """

    def ensure_connection(self, *args: Any, **named: Any) -> Self:
        """As kombu's, but for the pauses. Raises kombu's OperationalError when no try is left."""
        named.setdefault("interval_max", _AGAIN_S)
        return super().ensure_connection(*args, **named)


class _Messages(AMQP):
    Connection = SoonBack


app = Celery("telflo", include=["telflo.tasks"], amqp=_Messages)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
