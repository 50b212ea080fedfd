"""Who calls."""

from rest_framework.authentication import SessionAuthentication, TokenAuthentication


class ApiTokenAuthentication(TokenAuthentication):
    """Bearer."""


class BrowserSessionAuthentication(SessionAuthentication):
    """Session."""
