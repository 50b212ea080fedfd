"""Errors of quick deploy."""

from telflo.base.errors import DomainError, Refused


class InvalidOptions(DomainError):
    """Options of a deployment that cannot be used; `field` names the one at fault."""


class CodeUnknown(Refused):
    """No deployment has this code."""


class CodeClosed(Refused):
    """The code is known and no longer claims: used up, expired or revoked."""
