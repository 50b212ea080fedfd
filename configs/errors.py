"""What cannot be done with configurations and versions, in words for people."""

from typing import TYPE_CHECKING

from telflo.base.errors import Conflict, DomainError

if TYPE_CHECKING:
    from configs.models import Draft


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


class DraftChanged(Conflict):
    """Somebody changed the draft since the writer saw it. `draft` is what it is now."""

    def __init__(self, draft: "Draft") -> None:
        super().__init__(
            f"Not saved: {draft.editor} changed the draft of {draft.configuration.name} meanwhile."
            " Look at what changed, then save again.",
            code="draft_changed",
        )
        self.draft = draft


class DraftGone(Conflict):
    """The draft that the writer saw was saved as a version, or discarded."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Not saved: the draft of {name} is gone. It was saved as a version, or discarded.",
            code="draft_gone",
        )


class DraftThere(Conflict):
    """The configuration has a draft, which a new one would replace."""

    def __init__(self, draft: "Draft") -> None:
        super().__init__(
            f"{draft.configuration.name} has a draft that {draft.editor} edited last."
            " Save or discard it first.",
            code="draft_there",
        )
        self.draft = draft
