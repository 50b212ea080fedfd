"""The people of the demo. Only the first admin gets a password that anybody knows."""

import secrets
from typing import Final

from telflo.base.access import Role
from telflo.base.activity import Actor
from telflo.base.models import User
from telflo.base.people import accept_link, invite_person
from telflo.serve.firststart import ADMIN

_PEOPLE: Final = (
    ("maria", "Maria", "Weber", Role.EDITOR),
    ("jonas", "Jonas", "Lind", Role.OPERATOR),
    ("aiko", "Aiko", "Tanaka", Role.VIEWER),
)


def make_people() -> dict[str, Actor]:
    """Everybody by user name, the admin among them."""
    admin = Actor.person(User.objects.get(username=ADMIN))
    actors = {ADMIN: admin}
    for username, first, last, role in _PEOPLE:
        email = f"{username}@example.com"
        link = invite_person(username=username, email=email, role=role.value, actor=admin)
        person = accept_link(secret=link.secret, password=secrets.token_urlsafe(24))
        person.first_name, person.last_name = first, last
        person.save(update_fields=["first_name", "last_name"])
        actors[username] = Actor.person(person)
    return actors
