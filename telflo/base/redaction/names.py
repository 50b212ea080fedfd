"""PURE. Which keys hold a secret, by their names."""

import re

SECRET_WORDS = (
    r"password|passwd|passphrase|secret|tokens?|credentials?|authorization|cookie|bearer|pwd|dsn|signature"
    r"|api[_.-]?keys?|access[_.-]?key|secret[_.-]?key|private[_.-]?key|client[_.-]?key|account[_.-]?key"
    r"|shared[_.-]?key|licen[sc]e[_.-]?key|ingest(?:ion)?[_.-]?key|write[_.-]?key|signing[_.-]?key"
    r"|app(?:lication)?[_.-]?key|ssh[_.-]?key|agent[_.-]?key"
    r"|encryption[_.-]?key|instrumentation[_.-]?key|integration[_.-]?key|routing[_.-]?key|service[_.-]?key"
    r"|key[_.-]?pem|shared[_.-]?access[_.-]?(?:key|signature)|connection[_.-]?string|datasource|webhook[_.-]?url"
    r"|community|htpasswd|honeycomb-team"
)
"""An alternation for a regular expression: a name that ends with one of these (in any case) is a secret's."""

_SECRET = re.compile(rf"(?i)(?:{SECRET_WORDS}|(?:^|[_.-])(?:pass|sig|key_data|psk|licen[sc]e))$")
_HEADERS = re.compile(r"(?i)^(?!allowed|exposed|included?|excluded?).*headers?$")
_PLAIN_INSIDE = re.compile(r"(?i)(?:^|_)(?:type|file|path|url|endpoint|name|username|id|scopes?)$")
_NOT_SECRET = re.compile(r"(?i)^(?:max|min|num|count|total|rate|limit|include)[_.-]?.*tokens$")


def is_secret_name(name: str, *, below: str = "") -> bool:
    """Whether a value under this key is a secret: `client_secret` is, `token_file` and `token_url` are not.

    below: the key above it. A bare `key` is a secret below `api`; in an action on attributes it names one of them.
    """
    stripped = name.strip()
    if stripped == "key" and below.strip() == "api":
        return True
    return bool(_SECRET.search(stripped)) and not _NOT_SECRET.match(stripped)


def is_secret_scalar(name: str) -> bool:
    """Whether a single value under this key is a secret, though what is nested there may be none: `auth: …`."""
    return name.strip().lower() == "auth"


def is_header_map(name: str) -> bool:
    """Whether the values below this key are HTTP headers, which often carry credentials."""
    return bool(_HEADERS.match(name.strip()))


def is_plain_inside(name: str) -> bool:
    """Whether a key below a secret's name holds no secret itself, as in `authorization: {type: Bearer}`."""
    return bool(_PLAIN_INSIDE.search(name.strip()))
