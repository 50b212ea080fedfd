"""PURE. Addresses as Go reads them: what url.Parse refuses, and what gRPC clients of collectors take (configgrpc)."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_USER: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"]|[^\x00-\x7f]|%25|%[89A-Fa-f][0-9A-Fa-f])*"
)
_PORT: Final = re.compile(r"(?::[0-9]*)?")
_ZONE: Final = "%25"
_RESOLVER: Final = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9+.-]*)://[^/?#]*(?:/(?P<target>[^?#]*))?"
)
_SOCKET: Final = "unix://"
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}")
_ESCAPES: Final = "% is followed by two hexadecimal digits"


def url_fault(text: str) -> str:
    """Why Go cannot read it as an address, as a part of a sentence; "" when it can. It need not have a host."""
    if _CONTROL.search(text):
        return "it holds a character that cannot be printed"
    rest, _, fragment = text.partition("#")
    scheme = _SCHEME.match(rest)
    rest = (rest[scheme.end() :] if scheme else rest).partition("?")[0]
    if scheme and not rest.startswith("/"):
        return ""  # nothing of it is looked at
    if ":" in rest.partition("/")[0]:
        return "there is no http:// or https:// before the host"
    fault = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, _, rest = rest[2:].partition("/")
        fault = _authority_fault(authority)
    return fault or escape_fault(rest) or escape_fault(fragment)


def escape_fault(text: str) -> str:
    """What is wrong with the escapes in a part of an address, as url_fault says it."""
    return _ESCAPES if _BAD_ESCAPE.search(text) else ""


def _authority_fault(authority: str) -> str:
    user, _, host = authority.rpartition("@")
    if not _USER.fullmatch(user):
        return "the user before @ holds characters that have to be escaped"
    if fault := escape_fault(user):
        return fault
    if host.startswith("["):
        return _bracket_fault(host)
    colon = host.rfind(":")
    if colon >= 0 and not _PORT.fullmatch(host, colon):
        return "the port is no number"
    return "" if _HOST.fullmatch(host) else "the host holds characters that no name has"


def _bracket_fault(host: str) -> str:
    inside, bracket, port = host[1:].rpartition("]")
    if not bracket:
        return "a [ is never closed"
    if not _PORT.fullmatch(port):
        return "the port is no number"
    try:
        IPv6Address(inside.partition(_ZONE)[0])
    except AddressValueError:
        return "there is no IPv6 address between [ and ]"
    return ""


def grpc_fault(target: str, *, has_resolvers: bool) -> str:
    """What is wrong with the target of a gRPC client; "" when nothing is.

    has_resolvers: newer collectors take any `name://authority/target`, older ones `dns:` alone.
    """
    if target.startswith(_SOCKET):
        return "" if target != _SOCKET else "There is no path of the socket. Write unix:///path."
    if target.startswith("unix:"):
        return "A socket is written with two slashes: unix:///path."
    rest = target.removeprefix("http://").removeprefix("https://")
    resolver = _RESOLVER.match(target) if rest == target and not url_fault(target) else None
    if resolver and (has_resolvers or resolver["name"] == "dns"):
        rest = resolver["target"] or ""
        if not rest:
            return ""
    return _host_and_port_fault(rest)


def _host_and_port_fault(text: str) -> str:
    host, colon, port = text.rpartition(":")
    is_whole = host[:1] == "[" and host[-1:] == "]" and host.count("[") == host.count("]") == 1
    if not colon or (not is_whole and any(sign in host for sign in ":[]")):
        return "The endpoint has no port. Write host:port, such as gateway:4317."
    if not _NUMBER.fullmatch(port):
        return "The port of the endpoint is no number. Write host:port, and nothing behind it."
    return ""
