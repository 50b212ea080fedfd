"""The REST API of a fleet's connection settings. Values of headers go in and never come out."""

import re
from typing import Any, Final

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.connection import (
    LONGEST_HEARTBEAT_S,
    SHORTEST_HEARTBEAT_S,
    NewDestination,
    connection_of,
    destinations_of,
    update_connection,
)
from fleets.connection_offer import Signal
from fleets.connection_reach import Reach, count_reach
from fleets.models import ConnectionSettings, Fleet
from telflo.base.activity import Actor
from telflo.base.api.etags import check_if_match, etag_of
from telflo.base.api.serializers import BodySerializer
from telflo.base.errors import DomainError

_FIELD: Final = re.compile(r"^(metrics|traces|logs)_(endpoint|headers|ca_pem)$")
"""The service names fields as the form does; a pointer into the body has steps."""


class DestinationSerializer(serializers.Serializer[Any]):
    """Where one kind of own telemetry goes."""

    endpoint = serializers.CharField()
    header_names = serializers.ListField(child=serializers.CharField())
    has_ca = serializers.BooleanField()


class TelemetrySerializer(serializers.Serializer[Any]):
    """Own telemetry by kind; null: not set from here."""

    metrics = DestinationSerializer(allow_null=True)
    traces = DestinationSerializer(allow_null=True)
    logs = DestinationSerializer(allow_null=True)


class ReachSerializer(serializers.Serializer[Any]):
    """How far they came with the fleet's managed collectors, each counted once."""

    applied = serializers.IntegerField(
        help_text="said so, came by the credential in them, or need none of them"
    )
    sent = serializers.IntegerField(help_text="do not say what became of them")
    waiting = serializers.IntegerField(help_text="were not sent them yet: most are not connected")
    failed = serializers.IntegerField(help_text="said so, or never came by their credential")
    unable = serializers.IntegerField(help_text="accept a part of them alone, or nothing")


class ConnectionSettingsSerializer(serializers.Serializer[Any]):
    """What a fleet offers its collectors as connection settings: what their ETag is made of."""

    heartbeat_s = serializers.IntegerField(
        allow_null=True, help_text="seconds; null: the collectors' own"
    )
    own_credentials = serializers.BooleanField()
    own_telemetry = TelemetrySerializer()
    updated_at = serializers.DateTimeField()


class ConnectionSerializer(ConnectionSettingsSerializer):
    """The same with how far they came with its collectors."""

    collectors = ReachSerializer(
        allow_null=True, help_text="null: nothing is set. `?settings=` of the agents lists each"
    )


class NewDestinationSerializer(BodySerializer):
    """A destination. headers and ca_pem that are left out are kept."""

    endpoint = serializers.CharField(max_length=1_000)
    headers = serializers.DictField(child=serializers.CharField(), required=False)
    ca_pem = serializers.CharField(required=False, allow_blank=True)


class TelemetryChangeSerializer(BodySerializer):
    """Kinds that are left out stay; null removes one."""

    metrics = NewDestinationSerializer(required=False, allow_null=True)
    traces = NewDestinationSerializer(required=False, allow_null=True)
    logs = NewDestinationSerializer(required=False, allow_null=True)


class ConnectionChangeSerializer(BodySerializer):
    """What may be changed; what is left out stays."""

    heartbeat_s = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=SHORTEST_HEARTBEAT_S,
        max_value=LONGEST_HEARTBEAT_S,
    )
    own_credentials = serializers.BooleanField(required=False)
    own_telemetry = TelemetryChangeSerializer(required=False)


def shown_connection(fleet: Fleet) -> Response:
    """The settings with their ETag, and who has them."""
    wish = connection_of(fleet)
    data = _data(wish)
    counts = {**dict.fromkeys(Reach, 0), **count_reach(fleet)} if wish.sets_anything else None
    answer = ConnectionSerializer({**data, "collectors": counts}).data
    return Response(answer, headers={"ETag": etag_of(data)})


def change_connection(
    request: Request, fleet: Fleet, wanted: dict[str, Any], actor: Actor
) -> Response:
    """Change them; If-Match guards against a change in between."""
    telemetry = {
        Signal(name): None if one is None else NewDestination(**one)
        for name, one in wanted.pop("own_telemetry", {}).items()
    }
    with transaction.atomic():
        Fleet.objects.select_for_update(no_key=True).get(pk=fleet.pk)
        check_if_match(request, _data(connection_of(fleet)))
        try:
            update_connection(fleet=fleet, telemetry=telemetry, actor=actor, **wanted)
        except DomainError as error:
            error.field = _FIELD.sub(r"own_telemetry/\1/\2", error.field)
            raise
    return shown_connection(fleet)


def _data(wish: ConnectionSettings) -> dict[str, Any]:
    known = destinations_of(wish)
    shown = {
        signal.value: {
            "endpoint": known[signal].endpoint,
            "header_names": sorted(known[signal].headers),
            "has_ca": bool(known[signal].ca_pem),
        }
        if signal in known
        else None
        for signal in Signal
    }
    return dict(
        ConnectionSettingsSerializer(
            {
                "heartbeat_s": wish.heartbeat_s,
                "own_credentials": wish.own_credentials,
                "own_telemetry": shown,
                "updated_at": wish.updated_at,
            }
        ).data
    )
