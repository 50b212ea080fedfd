"""People and the links by which they join or come back."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from telflo.base.access import Action, Role, may
from telflo.base.ids import new_id


class PeopleManager(UserManager["User"]):
    """Users; a superuser made on the command line is an Admin."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: object
    ) -> "User":
        """A user with the role Admin, who may use the Django admin."""
        return super().create_superuser(
            username, email, password, **{"role": Role.ADMIN.value, **fields}
        )


class User(AbstractUser):
    """A person. The role says what they may do; is_staff follows it (Django admin: Admins alone).

    `uid` is the id for the API and the activity log; the number stays inside: keys, sessions, pages.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value.capitalize()) for role in Role],
        default=Role.VIEWER.value,
    )
    created_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects: ClassVar[PeopleManager] = PeopleManager()

    def may(self, action: Action, obj: object = None) -> bool:
        """Whether this person may do `action`; see access.may."""
        return may(self, action, obj)

    @property
    def display_name(self) -> str:
        """The full name, else the user name."""
        return self.get_full_name() or self.username


class LinkKind(models.TextChoices):
    """What an account link is for."""

    INVITE = "invite"
    RESET = "reset"


class AccountLink(models.Model):
    """A one-time link that sets a password: an invitation, or a reset by an admin. Only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=8, choices=LinkKind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.kind} for {self.user}"
