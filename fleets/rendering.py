"""From a version to what is offered: an AgentConfigMap and its canonical hash (decision 3)."""

from datetime import datetime
from typing import Final

from agents.configmap import configmap_sha256
from agents.snapshot import ConfigFile
from configs.models import ConfigVersion
from fleets.models import RenderedConfig
from fleets.offer import Offer

CONTENT_TYPE: Final = "text/yaml"


def render_version(version: ConfigVersion, *, now: datetime) -> RenderedConfig:
    """What agents are offered of this version: made once, without its body when it was there already."""
    found = RenderedConfig.objects.filter(version=version).defer("body").order_by("-id").first()
    if found is not None:
        return found
    rendered, _ = RenderedConfig.objects.get_or_create(
        version=version,
        hash=configmap_sha256(_files(version.yaml)),
        defaults={"body": version.yaml, "created_at": now},
    )
    return rendered


def offer_of(rendered: RenderedConfig) -> Offer:
    """The value that goes to an agent."""
    return Offer(hash=rendered.hash, files=_files(rendered.body))


def _files(text: str) -> tuple[ConfigFile, ...]:
    # One file with the empty name: the supervisor merges it last. Never an empty map, since that stops the collector.
    return (ConfigFile(name="", body=text.encode(), content_type=CONTENT_TYPE),)
