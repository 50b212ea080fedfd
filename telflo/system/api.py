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


class SystemSerializer(serializers.Serializer[Any]):
    """How the installation is doing."""

    findings = FindingSerializer(many=True)
    processes = ProcessSerializer(many=True)
    database = DatabaseSerializer()
    broker = BrokerSerializer()
    disk = DiskSerializer()


class SystemView(APIView):
    """What the System page shows."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=SystemSerializer)
    def get(self, request: Request) -> Response:
        """Processes, database, broker, disk, and what is wrong."""
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
