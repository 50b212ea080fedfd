"""TELFLO_EMAIL_URL to the mail server of Django's settings."""

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

SCHEMES: Final = ("smtp", "smtp+tls", "smtps")
"""Without encryption, with STARTTLS, and with TLS from the start."""
_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


class MailServer(NamedTuple):
    """Where e-mail is handed over."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False


def mail_server(url: str) -> MailServer:
    """The server that a checked URL names; of "" none."""
    if not url:
        return MailServer()
    parts = urlsplit(url)
    return MailServer(
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp+tls",
        use_ssl=parts.scheme == "smtps",
    )
