"""PURE. The plans of the demo's rollouts in stages."""

from datetime import timedelta
from typing import Final

from fleets.rollouts.counts import Budget
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy

_MINUTE: Final = timedelta(minutes=1)
_LONG_BAKE: Final = timedelta(hours=12)
"""So long a visitor finds it under way."""
_EVERYBODY: Final = Share(percent=100)

SITE_BY_SITE: Final = Strategy(
    (
        StagePlan(
            "Pilot site",
            Share(
                selector=parse_selector("site=ams, cloud.availability_zone=eu-west-1a"),
            ),
            bake=30 * _MINUTE,
        ),
        StagePlan(
            "Europe",
            Share(selector=parse_selector("site in (ams, fra, lon, par)")),
            bake=_LONG_BAKE,
            budget=Budget(percent=25),
        ),
        StagePlan("Everybody", _EVERYBODY, bake=10 * _MINUTE, budget=Budget(percent=25)),
    )
)
"""Of the edge gateways. One budget has room for a few that fail, so that the rollout goes on."""

CLUSTER_BY_CLUSTER: Final = Strategy(
    (
        StagePlan(
            "One zone",
            Share(
                selector=parse_selector(
                    "k8s.cluster.name=prod-eu1, cloud.availability_zone=eu-central-1a"
                ),
            ),
            bake=30 * _MINUTE,
        ),
        StagePlan("Half", Share(percent=60), bake=30 * _MINUTE, budget=Budget(percent=15)),
        StagePlan("Everybody", _EVERYBODY, budget=Budget(percent=2)),
    )
)
"""Of the kubernetes nodes."""
