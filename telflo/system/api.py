"""How the installation is doing, for programs."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telflo.base.access import Action
from telflo.base.api.filters import refuse_unknown_parameters
from telflo.system.findings import findings_of, is_live
from telflo.system.limits import Unit
from telflo.system.limits_met import LimitRow, limits_in_force
from telflo.system.models import ProcessKind
from telflo.system.state import read_state
from telflo.system.values import Process, State


class FindingSerializer(serializers.Serializer[Any]):
    """Something that is wrong."""

    code = serializers.CharField(help_text="stays the same; `title` may change")
    tone = serializers.ChoiceField(choices=["fail", "warn"])
    title = serializers.CharField()
    todo = serializers.CharField(help_text="what to do about it")


class ProcessSerializer(serializers.Serializer[Any]):
    """A part that runs, or ran until it was killed."""

    kind = serializers.ChoiceField(choices=ProcessKind.choices)
    host = serializers.CharField()
    pid = serializers.IntegerField()
    version = serializers.CharField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    is_live = serializers.BooleanField()
    clock_offset_seconds = serializers.FloatField()
    connections = serializers.IntegerField()
    buffer_rows = serializers.IntegerField()
    buffer_lag_seconds = serializers.FloatField()
    reconcile_lag_seconds = serializers.FloatField(allow_null=True)


class DatabaseSerializer(serializers.Serializer[Any]):
    """The database."""

    name = serializers.CharField()
    answer_s = serializers.FloatField(allow_null=True, help_text="null: it does not answer")
    size_bytes = serializers.IntegerField()


class BrokerSerializer(serializers.Serializer[Any]):
    """Redis, or the broker in memory."""

    name = serializers.CharField()
    answer_s = serializers.FloatField(allow_null=True, help_text="null: it does not answer")
    waiting = serializers.IntegerField(help_text="tasks that no worker took yet")


class DiskSerializer(serializers.Serializer[Any]):
    """Where the data folder is."""

    free_bytes = serializers.IntegerField()
    total_bytes = serializers.IntegerField()


class LimitValueSerializer(serializers.Serializer[Any]):
    """One setting of a limit, as the process that answers has it."""

    variable = serializers.CharField(help_text="of the environment")
    name = serializers.CharField(help_text="what it is of the limit; empty for the only one")
    value = serializers.IntegerField(source="in_force")
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])


class LimitMetSerializer(serializers.Serializer[Any]):
    """How often one process met a limit since it started."""

    process = serializers.CharField(help_text="host:pid")
    count = serializers.IntegerField()


class LimitSerializer(serializers.Serializer[Any]):
    """What is limited, and how often that was met."""

    group = serializers.CharField()
    what = serializers.CharField()
    over = serializers.CharField(help_text="what happens then")
    values = LimitValueSerializer(many=True)
    counters = serializers.ListField(
        child=serializers.CharField(), help_text="`limit` of telflo_opamp_limits_hit_total"
    )
    met = serializers.IntegerField(allow_null=True, help_text="null: nobody counts")
    by_process = LimitMetSerializer(many=True)


class SystemSerializer(serializers.Serializer[Any]):
    """How the installation is doing."""

    findings = FindingSerializer(many=True)
    processes = ProcessSerializer(many=True)
    database = DatabaseSerializer()
    broker = BrokerSerializer()
    disk = DiskSerializer()
    limits = LimitSerializer(many=True)


class SystemView(APIView):
    """What the System page shows."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=SystemSerializer)
    def get(self, request: Request) -> Response:
        """Processes, database, broker, disk, what is wrong, and the limits in force."""
        refuse_unknown_parameters(request, set())
        answer = SystemSerializer(_answer(read_state())).data
        return Response(answer, headers={"Cache-Control": "no-store"})


def _answer(state: State) -> dict[str, Any]:
    return {
        "findings": findings_of(state),
        "processes": [_process(process) for process in state.processes],
        "database": state.database,
        "broker": state.broker,
        "disk": state.disk,
        "limits": [
            _limit(title, row) for title, rows in limits_in_force(state.processes) for row in rows
        ],
    }


def _limit(group: str, row: LimitRow) -> dict[str, Any]:
    limit = row.limit
    return {
        "group": group,
        "what": limit.what,
        "over": limit.over,
        "values": limit.values,
        "counters": limit.counters,
        "met": row.met,
        "by_process": [{"process": who, "count": count} for who, count in row.by_process],
    }


def _process(process: Process) -> dict[str, Any]:
    lag = "opamp_reconcile_lag_seconds"
    return {
        "kind": process.kind,
        "host": process.host,
        "pid": process.pid,
        "version": process.version,
        "started_at": process.started_at,
        "seen_at": process.seen_at,
        "is_live": is_live(process),
        "clock_offset_seconds": process.clock_s,
        "connections": int(process.level("opamp_connections")),
        "buffer_rows": int(process.level("opamp_buffer_rows")),
        "buffer_lag_seconds": process.level("opamp_buffer_lag_seconds"),
        "reconcile_lag_seconds": process.level(lag) if process.has(lag) else None,
    }
