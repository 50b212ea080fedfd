"""PURE. Where webhooks may go: what an address of a receiver looks like, and which IP addresses are refused."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 1_000
_NOT_OUTSIDE: Final = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # a cloud's own service, behind an address that looks public
            "192.0.0.0/24",  # the same, and protocols: Python before 3.11.10 takes it for public
            "2001::/23",
            "3fff::/20",
        ),
    )
)
_PLAIN: Final = "Use https: with http everybody on the way could read it."
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class BadUrl(ValueError):
    """The text is no address that a webhook can be sent to; str() says why."""


def check_url(text: str, allowed: Sequence[Network]) -> str:
    """The address as it is stored. Raises BadUrl.

    A host's name is looked up when it is used; with http it can only be one of a network that is allowed.
    """
    text = text.strip()
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise BadUrl(f"Give a URL of at most {LONGEST_URL:,} plain characters.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadUrl("This is no URL.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BadUrl("Give a URL that begins with https:// and names a host.")
    if parts.username is not None or parts.fragment:
        raise BadUrl("Leave out user name, password and fragment.")
    address, is_plain = _literal(host), parts.scheme == "http"
    if address is not None:
        check_address(address, allowed, is_plain=is_plain)
    elif is_plain and not allowed:
        raise BadUrl(_PLAIN)
    return text


def check_address(address: Address, allowed: Sequence[Network], *, is_plain: bool) -> None:
    """Raise BadUrl for an address of the inside that the installation does not allow. is_plain: http, not https."""
    inner = _inner(address)
    if any(one.version == inner.version and inner in one for one in allowed):
        return
    if not _is_outside(inner):
        raise BadUrl(
            f"{inner} is an address of the inside (private, loopback, link-local or reserved). "
            "An administrator of the server can allow it with TELFLO_WEBHOOK_ALLOW."
        )
    if is_plain:
        raise BadUrl(_PLAIN)


def _is_outside(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if address.version == 6 and address not in _UNICAST:
        return False
    return not any(one.version == address.version and address in one for one in _NOT_OUTSIDE)


def shown_url(url: str, *, is_secret: bool) -> str:
    """The address without what may be a secret in it: the query, and where is_secret the path too."""
    parts = urlsplit(url)
    path = "/…" if is_secret else parts.path
    return f"{parts.scheme}://{parts.netloc}{path}{'?…' if parts.query and not is_secret else ''}"


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it is such a one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
