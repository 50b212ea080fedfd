"""What an agent is to be offered, as a value. Pure: the protocol core and the fleets' services share it."""

from dataclasses import dataclass

from agents.snapshot import ConfigFile


@dataclass(frozen=True, slots=True)
class Intent:
    """What an agent should have, by hashes; "" for nothing. settings: connection settings (connection_offer.py)."""

    config: str = ""
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A remote configuration for one agent.

    hash: lower-case hex of the canonical AgentConfigMap, never empty (OpAMP AgentRemoteConfig.config_hash).
    files: never empty, since an empty map stops the collector.
    """

    hash: str
    files: tuple[ConfigFile, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a session of an agent claimed, or may have: its epoch, and the hash. Another session's is another claim."""

    epoch: int
    hash: str
