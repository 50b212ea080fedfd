"""Rollouts for the tests of their pages."""

from fleets.models import Rollout
from fleets.rollouts.services import start_rollout
from tests.factories import TESTER, make_collector, make_fleet, make_rendered, make_version


def started(*, collectors: int = 2, name: str = "edge") -> Rollout:
    first, second = make_version(), make_version()
    fleet = make_fleet(name=name, version=first)
    desired = make_rendered(version=first)
    for n in range(collectors):
        make_collector(name=f"{name}-{n}", fleet=fleet, desired=desired)
    return start_rollout(fleet=fleet, version=second, actor=TESTER, reason="new gateway")
