"""The message that carries a remote configuration (R3, R4)."""

from functools import lru_cache

from fleets.offer import Offer
from opamp.proto.opamp_pb2 import AgentConfigFile, AgentConfigMap, AgentRemoteConfig


@lru_cache(maxsize=8)
def config_message(offer: Offer) -> AgentRemoteConfig:
    """The offer as OpAMP has it, which is copied and never changed: thousands of agents get the same one.

    Raises ValueError for one that must not exist: no hash, no files, a name twice.
    """
    _check(offer)
    files = {
        file.name: AgentConfigFile(body=file.body, content_type=file.content_type)
        for file in offer.files
    }
    return AgentRemoteConfig(
        config=AgentConfigMap(config_map=files), config_hash=bytes.fromhex(offer.hash)
    )


def _check(offer: Offer) -> None:
    if not offer.hash:
        raise ValueError("An offer needs a hash.")
    if not offer.files:
        raise ValueError("An offer needs a file: an empty map stops the collector.")
    if len({file.name for file in offer.files}) != len(offer.files):
        raise ValueError("Two files of an offer have the same name.")
