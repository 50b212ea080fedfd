"""What agents report to the store, and what it told of them."""

from typing import Any

from agents.configmap import configmap_sha256
from agents.models import AgentEvent
from agents.snapshot import ConfigFile
from agents.snapshot import EffectiveConfig as Effective


def effective(body: bytes) -> Effective:
    files = (ConfigFile("", body, "text/yaml"),)
    return Effective(configmap_sha256(files), files)


def kinds(snapshot: Any) -> list[str]:
    events = AgentEvent.objects.filter(agent_id=snapshot.instance_uid).order_by("id")
    return list(events.values_list("kind", flat=True))
