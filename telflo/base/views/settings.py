"""What this installation is set to."""

from datetime import timedelta

import django
from django.conf import settings as conf
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from telflo.base.access import Action
from telflo.base.guard import requires


@requires(Action.VIEW)
def settings(request: HttpRequest) -> HttpResponse:
    """What this installation is set to; the environment is the only place to change it."""
    kept = [
        ("Collector events and refused attempts", conf.KEEP_AGENT_EVENTS),
        ("Activity", conf.KEEP_ACTIVITY),
        ("Attempts", conf.KEEP_ATTEMPTS),
    ]
    context = {
        "kept": [(what, _days(time)) for what, time in kept],
        "stale_hours": int(conf.STALE_AFTER.total_seconds() // 3600),
        "message_mib": conf.OPAMP_MESSAGE_BYTES // conf.MEBIBYTE,
        "enrolments": conf.ENROLMENTS_PER_MINUTE,
        "database": connection.vendor,
        "redis": bool(conf.REDIS_URL),
        "django": django.get_version(),
        "base_url": conf.BASE_URL,
        "opamp_url": conf.OPAMP_URL,
        "artifacts_url": conf.ARTIFACTS_URL,
        "ca_file": conf.CA_FILE,
    }
    return render(request, "settings/server.html", context)


def _days(time: timedelta) -> str:
    return f"{time.days} days"
