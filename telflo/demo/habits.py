"""PURE. What the demo's hosts do in their own way: files of their own, and configurations that they cannot run."""

from typing import Final

from opamp.simulator.behaviour import Behaviour
from opamp.simulator.hosts import Host
from telflo.demo import texts
from telflo.demo.hosts import NEW_IMAGE

_EDITED: Final = frozenset({"pay-db-01", "pay-db-02", "pay-db-03"})


def behaviour_of(host: Host) -> Behaviour:
    """How the collector of this host behaves, from its first day on."""
    return Behaviour(
        apply_delay_s=0,
        local_config=texts.AUDIT_LOG if host.name.startswith("pay-ledger") else "",
        local_override=texts.EDITED_BY_HAND if is_edited(host) else "",
    )


def is_edited(host: Host) -> bool:
    """Whether somebody changed its configuration on the host."""
    return host.name in _EDITED


def has_new_image(host: Host) -> bool:
    """Whether its machine image has an agent of its own that listens where the next gateway will."""
    return host.attributes.get("host.image.version") == NEW_IMAGE


def has_no_metadata(host: Host) -> bool:
    """Whether the service of the cloud that describes the machine is out of its reach."""
    return host.attributes.get("k8s.cluster.name") == "prod-us1"
