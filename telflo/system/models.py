"""The parts of the installation that run: each writes its row every few seconds."""

from datetime import timedelta
from typing import Final

from django.db import models

from telflo.base.ids import new_id

EVERY: Final = timedelta(seconds=5)
"""How often a part writes its row: what others show of it is at most so old."""
LIVE: Final = 3 * EVERY
"""A part that has not written for so long is not running, or hangs."""
KEPT: Final = timedelta(hours=1)
"""How long the row of a part that was killed stays."""


class ProcessKind(models.TextChoices):
    """What a part does. The embedded server is three parts in one process."""

    WEB = "web", "Web"
    GATEWAY = "gateway", "Gateway"
    WORKER = "worker", "Worker"
    BEAT = "beat", "Beat"


class ServerProcess(models.Model):
    """One part that runs, or ran until it was killed; an orderly stop takes the row away.

    seen_at is the database's time and clock_at the part's own in the same statement, so their difference is that of the
    clocks. numbers: see telflo.base.measures.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=8, choices=ProcessKind.choices)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    clock_at = models.DateTimeField()
    numbers = models.JSONField(default=dict)

    class Meta:
        ordering = ["kind", "host", "pid"]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.kind} {self.host}:{self.pid}"
