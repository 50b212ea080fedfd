"""What an agent is called."""

from uuid import UUID

import pytest

from agents.naming import display_name

UID = UUID("0198c0de-0000-7000-8000-0000a1b2c3d4")


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"name": "till 4", "non_identifying": {"host.name": "web-17"}}, "till 4"),
        ({"non_identifying": {"host.name": "web-17", "telflo.name": "till"}}, "till"),
        ({"identifying": {"telflo.name": "till"}}, "till"),
        ({"non_identifying": {"host.name": "web-17"}}, "web-17"),
        ({"non_identifying": {"host.name": ["odd"]}}, "a1b2c3d4"),
        ({}, "a1b2c3d4"),
    ],
)
def test_a_person_names_first_then_quick_deploy_then_the_host(
    known: dict[str, object], name: str
) -> None:
    assert display_name(uid=UID, **known) == name  # type: ignore[arg-type]  # a table of arguments
