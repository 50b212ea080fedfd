"""Refused attempts, counted: a flood is one row, and floods of many kinds are bounded (decision 13)."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F

from fleets.models import Fleet, RefusalReason, RefusedAttempt, Token
from telflo.base.pruning import delete_in_batches

MOST_NEW_ROWS: Final = 1_000
"""An hour. More kinds than that are counted together per reason."""
OTHERS: Final = "others"
_TOKEN_START: Final = "tlf_"


def prefix_of(secret: str, *, length: int = 12) -> str:
    """What may be kept of a secret that was refused: nothing of one that is not ours (it may be a password)."""
    return secret[:length] if secret.startswith(_TOKEN_START) else ""


def record_refusal(
    *,
    token_prefix: str,
    address: str,
    reason: RefusalReason | str,
    transport: str,
    user_agent: str,
    now: datetime,
    count: int = 1,
) -> None:
    """Count attempts by token prefix, address and reason."""
    key = {"token_prefix": token_prefix[:16], "address": address[:64], "reason": str(reason)}
    last = {"transport": transport[:8], "user_agent": user_agent[:200], "last_at": now}
    if _count(key, last, count):
        return
    lately = RefusedAttempt.objects.filter(first_at__gt=now - timedelta(hours=1))
    if lately.count() >= MOST_NEW_ROWS:
        key |= {"token_prefix": "", "address": OTHERS}
        if _count(key, last, count):
            return
    row = RefusedAttempt(**key, **last, first_at=now, count=0, fleet=_fleet_of(key["token_prefix"]))
    RefusedAttempt.objects.bulk_create([row], ignore_conflicts=True)
    _count(key, last, count)


def prune_refused(now: datetime, *, batches: int = 100) -> int:
    """Delete rows older than KEEP_REFUSED_ATTEMPTS; answers how many."""
    old = RefusedAttempt.objects.filter(last_at__lt=now - settings.KEEP_REFUSED_ATTEMPTS)
    return delete_in_batches(old.order_by("last_at"), batches=batches)


def _count(key: dict[str, str], last: dict[str, object], count: int) -> bool:
    return bool(RefusedAttempt.objects.filter(**key).update(count=F("count") + count, **last))


def _fleet_of(token_prefix: str) -> Fleet | None:
    if not token_prefix:
        return None
    token = Token.objects.select_related("fleet").filter(prefix=token_prefix).first()
    return token.fleet if token else None
