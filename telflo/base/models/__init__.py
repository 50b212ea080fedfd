"""Tables that all apps share: people, their API tokens, the activity log, replay protection of API writes."""

from telflo.base.models.activity import Activity, ActorKind
from telflo.base.models.api import ApiToken, IdempotencyRecord, TokenScope
from telflo.base.models.people import AccountLink, LinkKind, User

__all__ = [
    "AccountLink",
    "Activity",
    "ActorKind",
    "ApiToken",
    "IdempotencyRecord",
    "LinkKind",
    "TokenScope",
    "User",
]
