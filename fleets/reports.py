"""Where the gateway's write buffer ends: what agents said, stored and judged in one transaction."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from agents import store
from agents.snapshot import AgentPatch
from fleets.models import Membership
from fleets.rollouts import engine
from fleets.tasks import advance_on_commit
from telflo.base import hints


def record_patches(patches: Sequence[AgentPatch]) -> None:
    """Store patches and let rollouts follow. Raises database errors and has then written nothing."""
    with transaction.atomic():
        rows, changed = store.apply(patches)
        rollouts = engine.record_reports(patches, rows)
        _touch_fleets(changed)
        advance_on_commit(rollouts)


def _touch_fleets(uids: Iterable[UUID]) -> None:
    members = Membership.objects.filter(agent_id__in=list(uids))
    fleets = members.order_by().values_list("fleet_id", flat=True).distinct() if uids else []
    topics = {f"fleet:{fleet_id}" for fleet_id in fleets}
    hints.touch_on_commit(topics | {"fleets"} if topics else ())
