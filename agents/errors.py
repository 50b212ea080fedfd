"""What can go wrong with agents, in words for people."""

from uuid import UUID

from telflo.base.errors import NotFound


class AgentUnknown(NotFound):
    """No agent has this uid: it never came, or it was forgotten."""

    def __init__(self, instance_uid: UUID) -> None:
        super().__init__(
            f"No collector has the id {instance_uid}. It may have been forgotten.", code="not_found"
        )
        self.instance_uid = instance_uid
