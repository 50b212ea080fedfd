"""What open pages are told when members look different."""

from collections.abc import Collection
from uuid import UUID

from fleets.models import Membership
from telflo.base import hints


def touch_fleets_of(uids: Collection[UUID]) -> None:
    """The fleets of these agents look different once the transaction holds."""
    members = Membership.objects.filter(agent_id__in=list(uids))
    fleets = members.order_by().values_list("fleet_id", flat=True).distinct() if uids else []
    topics = {f"fleet:{fleet_id}" for fleet_id in fleets}
    hints.touch_on_commit(topics | {"fleets"} if topics else ())
