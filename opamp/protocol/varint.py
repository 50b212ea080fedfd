"""Protobuf's numbers as bytes, for messages that are made without its library."""


def varint(value: int) -> bytes:
    """A base-128 varint of a number that is not negative."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
