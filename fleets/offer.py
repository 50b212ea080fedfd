"""What an agent is to be offered, as a value. Pure: the protocol core and the fleets' services share it."""

from dataclasses import dataclass

from agents.snapshot import ConfigFile


@dataclass(frozen=True, slots=True)
class Offer:
    """A remote configuration for one agent. Connection settings and packages join it as further optional parts.

    hash: lower-case hex of the canonical AgentConfigMap, never empty (OpAMP AgentRemoteConfig.config_hash).
    files: never empty, since an empty map stops the collector.
    """

    hash: str
    files: tuple[ConfigFile, ...]
