"""How much one message may hold (A5). Over a limit it is refused with BAD_REQUEST that names the limit."""

from dataclasses import dataclass

from opamp.protocol.errors import MalformedMessage

MIB = 1024 * 1024
MOST_PARTS = 80_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults fit a collector with hundreds of components; sizes are bytes, depths count levels.

    parts: of a whole message, counted before it is decoded: fields of it and of all within it. What all other limits
    allow together has 65,000.
    message_bytes and send_bytes are for the transports and for offers (T3, T4, T7, T8).
    text_length is not refused but cut in the middle: an error must not be lost for its length.
    tree_bytes: of the health tree, and of the tree of components.
    component_details counts the entries of a component tree, and once more their metadata. hash_bytes is what a
    column holds: a SHA-512.
    custom_message_bytes: of a custom message so many bytes are kept.
    """

    message_bytes: int = 16 * MIB
    send_bytes: int = 16 * MIB
    parts: int = MOST_PARTS
    attributes: int = 512
    attribute_length: int = 16 * 1024
    value_depth: int = 16
    tree_bytes: int = 4 * MIB
    health_depth: int = 16
    health_components: int = 4_096
    component_depth: int = 8
    component_details: int = 4_096
    hash_bytes: int = 64
    text_length: int = 64 * 1024
    config_files: int = 256
    config_bytes: int = 4 * MIB
    custom_capabilities: int = 256
    custom_message_bytes: int = 64 * 1024
    packages: int = 256


def check_size(part: str, size: int, limits: Limits, *, counted_as: str) -> None:
    """Raises MalformedMessage when a tree has more bytes than it may: to read it takes longer than others wait."""
    if size > limits.tree_bytes:
        raise MalformedMessage(
            f"{part} has {size} bytes; at most {limits.tree_bytes} are taken.", limit=counted_as
        )
