"""People: joining by invitation, coming back by a reset link, roles, and who may sign in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from telflo.base.access import Role
from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.errors import Conflict, DomainError, NotFound
from telflo.base.models import AccountLink, LinkKind, User
from telflo.base.secrets import hash_secret, new_secret

LONGEST_USERNAME: Final = 150
LINK_LIFETIME = timedelta(days=7)


class LastAdmin(Conflict):
    """Without this person nobody could manage people any more."""


class DeadLink(NotFound):
    """The link is unknown, used, replaced or expired."""


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A one-time link, to be shown once. `secret` is the last part of its address."""

    person: User
    kind: LinkKind
    secret: str = field(repr=False)
    expires_at: datetime


@transaction.atomic
def invite_person(
    *, username: str, email: str = "", role: str = Role.VIEWER.value, actor: Actor
) -> IssuedLink:
    """A person without a password, and the link that sets one. Raises DomainError for the name or the role."""
    person = User(username=_checked_username(username), email=email.strip(), created_by=actor.user)
    _give_role(person, role)
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(username) from error
    record(
        actor=actor,
        action="person.invite",
        obj=person,
        after={"username": person.username, "email": person.email, "role": person.role},
    )
    return _issue_link(person, LinkKind.INVITE, actor)


@transaction.atomic
def reset_person(*, person: User, actor: Actor) -> IssuedLink:
    """A link by which the person sets another password; earlier links die. Raises Conflict for a disabled person."""
    locked = _locked(person)
    if not locked.is_active:
        raise Conflict(
            f"{locked.display_name} is disabled. Enable the person first.", code="disabled"
        )
    record(actor=actor, action="person.reset", obj=locked)
    kind = LinkKind.RESET if locked.has_usable_password() else LinkKind.INVITE
    return _issue_link(locked, kind, actor)


@transaction.atomic
def disable_person(*, person: User, actor: Actor) -> User:
    """No page, no API call and no link from now on. Raises LastAdmin."""
    locked = _locked(person)
    _refuse_last_admin(locked)
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    record(actor=actor, action="person.disable", obj=locked)
    return locked


@transaction.atomic
def enable_person(*, person: User, actor: Actor) -> User:
    """Back again, with the same role, password and API tokens."""
    locked = _locked(person)
    locked.is_active = True
    locked.save(update_fields=["is_active"])
    record(actor=actor, action="person.enable", obj=locked)
    return locked


@transaction.atomic
def set_role(*, person: User, role: str, actor: Actor) -> User:
    """Another role, at once. Raises LastAdmin, and DomainError for a role that does not exist."""
    locked = _locked(person)
    before = locked.role
    if role != Role.ADMIN.value:
        _refuse_last_admin(locked)
    _give_role(locked, role)
    locked.save(update_fields=["role", "is_staff", "is_superuser"])
    record(
        actor=actor,
        action="person.set_role",
        obj=locked,
        before={"role": before},
        after={"role": locked.role},
    )
    return locked


@transaction.atomic
def rename_person(
    *, person: User, first_name: str, last_name: str, email: str, actor: Actor
) -> User:
    """Another name or e-mail address. What stays as it is is neither written nor in the activity log."""
    locked = _locked(person)
    wanted = {"first_name": first_name, "last_name": last_name, "email": email}
    after = {name: text for name, text in wanted.items() if getattr(locked, name) != text}
    if not after:
        return locked
    before = {name: getattr(locked, name) for name in after}
    for name, text in after.items():
        setattr(locked, name, text)
    locked.save(update_fields=list(after))
    record(actor=actor, action="person.update", obj=locked, before=before, after=after)
    return locked


@transaction.atomic
def set_password(*, person: User, password: str, actor: Actor) -> User:
    """Another password, which the caller has checked; sessions that began with the old one end."""
    locked = _locked(person)
    locked.set_password(password)
    locked.save(update_fields=["password"])
    record(actor=actor, action="person.change_password", obj=locked)
    return locked


def person_of_link(secret: str) -> User:
    """Whom a link is for; changes nothing. Raises DeadLink."""
    return _live_link(secret).user


@transaction.atomic
def accept_link(*, secret: str, password: str) -> User:
    """Set the password and use the link up. Raises DeadLink, and DomainError for a weak password."""
    link = _live_link(secret)
    person = _locked(link.user)
    _check_password(password, person)
    # Compare and set: of two requests at once, one wins.
    if not AccountLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now()):
        raise _dead("This link is used.")
    person.set_password(password)
    person.save(update_fields=["password"])
    _end_links(person)
    is_new = link.kind == LinkKind.INVITE
    record(
        actor=Actor.person(person),
        action="person.accept_invite" if is_new else "person.accept_reset",
        obj=person,
    )
    return person


def _live_link(secret: str) -> AccountLink:
    link = (
        AccountLink.objects.select_related("user").filter(secret_hash=hash_secret(secret)).first()
    )
    if link is None:
        raise _dead("This link is not known.")
    if link.used_at is not None:
        raise _dead("This link is used.")
    if link.expires_at <= now():
        raise _dead(f"This link expired on {link.expires_at:%Y-%m-%d at %H:%M} UTC.")
    if not link.user.is_active:
        raise _dead("This link belongs to a person who is disabled.")
    return link


def _dead(why: str) -> DeadLink:
    return DeadLink(f"{why} Ask an admin for a new one.", code="dead-link")


def _issue_link(person: User, kind: LinkKind, actor: Actor) -> IssuedLink:
    _end_links(person)
    fresh = new_secret("")
    at = now()
    link = AccountLink.objects.create(
        kind=kind,
        user=person,
        secret_hash=fresh.secret_hash,
        created_by=actor.user,
        created_at=at,
        expires_at=at + LINK_LIFETIME,
    )
    return IssuedLink(person, kind, fresh.secret, link.expires_at)


def _end_links(person: User) -> None:
    person.links.filter(used_at=None).update(used_at=now())


def _locked(person: User) -> User:
    return User.objects.select_for_update().get(pk=person.pk)


def _refuse_last_admin(person: User) -> None:
    """Raise LastAdmin when nobody else is an active Admin. All Admins are locked, so that two cannot leave at once."""
    admins = User.objects.select_for_update().filter(role=Role.ADMIN.value, is_active=True)
    others = {admin.pk for admin in admins} - {person.pk}
    if person.role == Role.ADMIN.value and person.is_active and not others:
        raise LastAdmin(
            f"{person.display_name} is the last Admin. Make somebody else an Admin first.",
            field="role",
            code="last-admin",
        )


def _give_role(person: User, role: str) -> None:
    """Set the role; the flags that Django's admin looks at follow it."""
    if role not in set(Role):
        raise DomainError(f'There is no role "{role}".', field="role", code="unknown-role")
    person.role = role
    person.is_staff = person.is_superuser = role == Role.ADMIN.value


def _checked_username(username: str) -> str:
    username = User.normalize_username(username.strip())
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as error:
        raise DomainError(
            "Use letters, digits and @ . + - _ for the user name.", field="username", code="invalid"
        ) from error
    if len(username) > LONGEST_USERNAME:
        raise DomainError(
            f"The user name has more than {LONGEST_USERNAME} characters.",
            field="username",
            code="too-long",
        )
    # ADA and ada would be taken for each other.
    if User.objects.filter(username__iexact=username).exists():
        raise _taken(username)
    return username


def _taken(username: str) -> DomainError:
    return DomainError(f'The user name "{username}" is in use.', field="username", code="taken")


def _check_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), field="password", code="weak") from error
