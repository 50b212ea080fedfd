"""Errors of quick deploy."""

from telflo.base.errors import DomainError, Refused


class InvalidOptions(DomainError):
    """What a deployment cannot be made with. `field` names it: "max_uses"; of an option "options/labels"."""


class CodeUnknown(Refused):
    """No deployment has this code."""


class CodeClosed(Refused):
    """The code is known and no longer claims: used up, expired or revoked."""
