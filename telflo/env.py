"""Reading the environment: typed, secrets from files too, and a wrong value stops the start with one line."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


asked: set[str] = set()
"""The variables that were asked for: what else is set nothing reads."""


def text(name: str, default: str = "") -> str:
    """The variable's value without surrounding space, or the default when it is unset."""
    asked.add(name)
    return os.environ.get(name, default).strip()


def data_folder() -> Path:
    """TELFLO_DATA, else `var` beside the code: SQLite's database and the keys of a first start. Nothing is made."""
    return Path(text("TELFLO_DATA", str(Path(__file__).parents[1] / "var"))).resolve()


def secret(name: str, default: str = "") -> str:
    """A secret from NAME, or from the file that NAME_FILE names. Raises ImproperlyConfigured for a bad file."""
    path = text(f"{name}_FILE")
    if not path:
        return text(name, default)
    if text(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is not text in UTF-8.") from error


def integer(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number between least and most. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a whole number from {least} to {most}."
        )
    return number


def boolean(name: str, default: bool = False) -> bool:
    """1/true/yes/on or 0/false/no/off. Raises ImproperlyConfigured for anything else."""
    asked.add(name)
    if name not in os.environ:
        return default
    value = text(name).lower()
    if value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false.")
    return value in _TRUE


def file(name: str) -> str:
    """The path of a file that can be read, or "". Raises ImproperlyConfigured for one that cannot."""
    path = text(name)
    if path and not (Path(path).is_file() and os.access(path, os.R_OK)):
        raise ImproperlyConfigured(f"{name}={path!r} is not a file that can be read.")
    return path


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words. Raises ImproperlyConfigured for anything else."""
    value = text(name, default) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(allowed)}.")
    return value


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of addresses and networks. Raises ImproperlyConfigured for anything else."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}. Give addresses or networks such as 10.1.0.0/16."
        ) from error


def url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """An absolute URL without a trailing slash, or "". Raises ImproperlyConfigured for anything else."""
    return _checked_url(name, text(name, default), schemes)


def origin(name: str) -> str:
    """A URL of scheme, host and port alone, or "". Raises ImproperlyConfigured for more: a path serves nothing."""
    value = url(name)
    parts = urlsplit(value)
    if parts.username or parts.path or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{name}: give the scheme, the host and the port alone, as in https://telflo.example."
        )
    return value


def secret_url(name: str, *, schemes: tuple[str, ...]) -> str:
    """As url(), from NAME or the file that NAME_FILE names: it may hold a password, so errors do not show it."""
    return _checked_url(name, secret(name), schemes, shown="the value")


def _checked_url(name: str, given: str, schemes: tuple[str, ...], *, shown: str = "") -> str:
    value = given.rstrip("/")
    if not value:
        return ""
    if not _is_url(value, schemes):
        raise ImproperlyConfigured(
            f"{name}: {shown or repr(value)} is not a URL with one of the schemes {', '.join(schemes)}."
        )
    return value


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:  # a bracket that is not closed, a port that is none
        return False
    return parts.scheme in schemes and bool(parts.hostname or parts.scheme == "unix")
