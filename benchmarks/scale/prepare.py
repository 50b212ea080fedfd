"""`python -m benchmarks.scale.prepare`: an installation in the empty database that the environment names.

Prints what a load needs to know of it as JSON: the secrets of an API token and of an enrolment token, and the ids of a
fleet and of versions to assign to it. Run once; each server of a benchmark gets a copy.
"""

import json
import sys
from collections.abc import Iterator
from typing import Final

import django
from django.core.management import call_command

VERSIONS: Final = 5
CONFIGURATION_BYTES: Final = 10 * 1024


def configuration(number: int) -> str:
    """A text of 10 kB that a simulated collector can run, another one for each number."""
    return "".join(_lines(number))


def mark_of(number: int) -> str:
    """What only that text has in it, also as a collector puts it together."""
    return f"resource/version-{number}:"


def _lines(number: int) -> Iterator[str]:
    """What runs is small; most of it are settings that no pipeline uses."""
    head = "receivers:\n  otlp: {protocols: {grpc: {}}}\nexporters:\n  debug: {}\nprocessors:\n"
    tail = "service:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [debug]}\n"
    mark = f"  {mark_of(number)} {{attributes: [{{key: version, value: '{number}', action: upsert}}]}}\n"
    yield head
    yield mark
    size, index = len(head) + len(mark) + len(tail), 0
    while size < CONFIGURATION_BYTES:
        attribute = f"{{key: key.{index}, value: value-{number}-{index}, action: upsert}}"
        line = f"  resource/{index:03}: {{attributes: [{attribute}]}}\n"
        size, index = size + len(line), index + 1
        yield line
    yield tail


def main() -> None:
    """Make it."""
    django.setup()
    call_command("migrate", verbosity=0)
    # Models exist once Django is set up.
    from configs.services import create_configuration, publish_version, save_version
    from fleets.services import create_fleet
    from fleets.tokens import Expiry, issue_token
    from telflo.base.access import Role
    from telflo.base.activity import Actor
    from telflo.base.api_tokens import issue_api_token
    from telflo.base.models import TokenScope, User

    admin = User.objects.create_superuser("admin", role=Role.ADMIN.value)
    actor = Actor.person(admin)
    api = issue_api_token(user=admin, name="bench", scope=TokenScope.WRITE.value, actor=actor)
    fleet = create_fleet(name="Bench", version=None, actor=actor)
    token = issue_token(fleet=fleet, name="bench", expires=Expiry.NEVER, actor=actor)
    made = create_configuration(name="bench", actor=actor)
    versions = [
        save_version(configuration=made, yaml=configuration(number), actor=actor)
        for number in range(VERSIONS)
    ]
    for version in versions:
        publish_version(version=version, actor=actor)
    known = {
        "api_token": api.secret,
        "fleet": fleet.slug,
        "token": token.secret,
        "versions": [str(version.pk) for version in versions],
    }
    sys.stdout.write(json.dumps(known))


if __name__ == "__main__":
    main()
