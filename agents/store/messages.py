"""Custom messages of agents (K2): the last few of each are kept."""

import base64
from collections.abc import Sequence

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from agents.models import AgentMessage
from agents.snapshot import KEPT_MESSAGES, AgentPatch


def keep_messages(patches: Sequence[AgentPatch]) -> None:
    """Store what came, and delete what is older than the last KEPT_MESSAGES of its agent."""
    came = [
        AgentMessage(
            agent_id=patch.instance_uid,
            at=said.at,
            capability=said.capability,
            type=said.type,
            body=base64.b64encode(said.data).decode(),
            size=said.size,
        )
        for patch in patches
        for said in patch.messages
    ]
    if not came:
        return
    AgentMessage.objects.bulk_create(came)
    age = Window(RowNumber(), partition_by=F("agent_id"), order_by=F("id").desc())
    theirs = AgentMessage.objects.filter(agent_id__in={row.agent_id for row in came})
    ages = theirs.order_by().annotate(age=age).values_list("pk", "age")
    old = [pk for pk, number in ages if number > KEPT_MESSAGES]
    AgentMessage.objects.filter(pk__in=old).delete()
