"""Who is in which stage is drawn at the start; who is away when their stage begins tell nothing, and change places."""

from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q

from agents.snapshot import ConfigStatus
from agents.store.dialects import update_rows
from fleets.models import Quarantine, Rollout, Stage, Target, TargetState
from fleets.rendering import render_version
from fleets.rollouts.whom import MAY_TAKE_ONE

_IS_THERE: Final = Q(agent__status__connected=True)


def change_places(rollout: Rollout, stage: Stage, *, now: datetime) -> None:
    """Exchange those of a stage that begins who are away for as many of later ones who are there and get the version.

    Stages that a selector fills keep theirs; where offline ones hold up their stage nobody is exchanged. One statement
    where nobody is away, else four.
    """
    if rollout.waits_for_offline:
        return
    drawn = Target.objects.filter(
        rollout=rollout, state=TargetState.WAITING, stage__selector="", agent__isnull=False
    )
    away = drawn.filter(~_IS_THERE, stage=stage).values_list("pk", flat=True)
    pks = list(away.order_by("pk"))
    if not pks:
        return
    digest = render_version(rollout.version, now=now).hash
    has_it = Q(
        agent__status__remote_config_hash=digest,
        agent__status__remote_config_status=ConfigStatus.APPLIED,
    )
    has_failed = Exists(Quarantine.objects.filter(agent=OuterRef("agent"), hash=digest))
    able = drawn.filter(_IS_THERE, MAY_TAKE_ONE, ~has_failed, stage__index__gt=stage.index)
    later = able.exclude(has_it).order_by("stage__index", "pk").values_list("pk", "stage_id")
    pairs = list(zip(pks, later[: len(pks)], strict=False))
    rows = [(there, stage.pk) for _, (there, _) in pairs] + [
        (gone, its_stage) for gone, (_, its_stage) in pairs
    ]
    update_rows(Target, match=("id",), columns=("stage_id",), rows=rows)
