"""The Celery application: JSON messages, tasks of every installed app and of telflo.tasks."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")

app = Celery("telflo", include=["telflo.tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
