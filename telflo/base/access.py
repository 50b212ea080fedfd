"""Who may do what: one function answers it for pages, API and admin (decision 21). Pure but for the user's fields."""

from enum import StrEnum


class Role(StrEnum):
    """Each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"


class Action(StrEnum):
    """What can be done, named by kind of thing and verb."""

    VIEW = "view"
    """See pages and API answers, redacted."""
    OPERATE = "operate"
    """Rollouts and collectors: assign a version, restart, move, label, forget."""
    EDIT = "edit"
    """Configurations and fleets: create, save a version, publish, archive."""
    READ_RAW = "read_raw"
    """Unredacted configuration text; each reading is in the activity log."""
    ENROL = "enrol"
    """Tokens and quick deploy: create, rotate, retire, revoke."""
    ADMINISTER = "administer"
    """People, roles, settings, the Django admin."""


_LEAST_ROLE: dict[Action, Role] = {
    Action.VIEW: Role.VIEWER,
    Action.OPERATE: Role.OPERATOR,
    Action.EDIT: Role.EDITOR,
    Action.READ_RAW: Role.EDITOR,
    Action.ENROL: Role.ADMIN,
    Action.ADMINISTER: Role.ADMIN,
}
_RANK = {role: rank for rank, role in enumerate(Role)}


def may(user: object, action: Action, obj: object = None) -> bool:
    """Whether `user` may do `action` (on `obj`: per-fleet grants will look at it). Refuses by default."""
    if not getattr(user, "is_authenticated", False) or not getattr(user, "is_active", False):
        return False
    role = getattr(user, "role", None)
    return role in _RANK and _RANK[Role(role)] >= _RANK[_LEAST_ROLE[action]]


def what_is_missing(user: object, action: Action) -> str:
    """Why `may` refuses a person who is signed in, in words."""
    role = getattr(user, "role", None)
    own = f"yours is {role.capitalize()}" if role in _RANK else "you have none"
    return f"It takes the role {_LEAST_ROLE[action].value.capitalize()}; {own}."
