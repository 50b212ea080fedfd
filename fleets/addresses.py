"""Addresses that people type. Pure."""

from urllib.parse import SplitResult, urlsplit


def http_address(text: str) -> SplitResult | None:
    """The parts of an http(s) URL; None for what is none, such as one with half a bracket or the port 99999."""
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_whole and parts.scheme in ("http", "https") else None
