"""What cannot be done with configurations and versions, in words for people."""

from telflo.base.errors import Conflict, DomainError


class NameTaken(DomainError):
    """Another active configuration has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'A configuration named "{name}" exists. Choose another name.',
            field="name",
            code="taken",
        )


class Archived(Conflict):
    """The configuration or the version is archived: it can be looked at, not changed."""


class Unchanged(Conflict):
    """The text is the latest version's: there is nothing to save."""


class WrongState(Conflict):
    """The version is not in the state that the step needs."""
