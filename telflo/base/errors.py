"""The errors that a person or an API client is told about. Each app's errors.py builds on these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a text, with its place. Lines and columns count from 1; 0 means that there is no place."""

    message: str
    code: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


class DomainError(Exception):
    """Something that cannot be done, said in words for people: what happened, where, what to do.

    `field` names the input at fault (a form field, the API's pointer); `code` is for programs; `members` are further
    JSON values that the API's answer holds.
    """

    members: Mapping[str, object] = {}

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        code: str = "invalid",
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code
        self.findings = tuple(findings)

    def __str__(self) -> str:
        """The words for people."""
        return self.message


class NotFound(DomainError):
    """The thing is not there, or not for this person (API: 404)."""


class Conflict(DomainError):
    """It cannot be done in the present state of the thing (API: 409)."""


class Refused(DomainError):
    """The actor may not do this, whatever the input (API: 403)."""
