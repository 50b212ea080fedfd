"""What programs have collectors do, and the custom messages that came."""

import base64
import binascii
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api_shapes import AgentSerializer, shown_agent
from agents.models import Agent, AgentCommand, AgentMessage, CommandKind
from agents.views.messages import shown_message
from fleets.commands import LONGEST_TYPE, restart_agent, send_message
from fleets.models import ArrivalMode
from fleets.services import retry_agent, set_mode
from telflo.base.api.serializers import BodySerializer, OneOf, ReasonSerializer
from telflo.base.api.views import ApiViewSet
from telflo.base.errors import DomainError


class CommandSerializer(serializers.Serializer[Any]):
    """A command that waits for its delivery. The agent's events tell when it was sent, or that it expired."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=CommandKind.choices)
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="not delivered by then: dropped")


class RestartSerializer(BodySerializer):
    """Why, for the activity log."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class ModeSerializer(ReasonSerializer):
    """Whether a collector gets its fleet's version (managed) or is only looked at (observed)."""

    mode = OneOf(choices=ArrivalMode.choices)


class CustomMessageSerializer(serializers.Serializer[Any]):
    """A custom message that the agent sent."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    capability = serializers.CharField()
    type = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    text = serializers.CharField(help_text="secrets masked; hexadecimal when it is no text")
    is_text = serializers.BooleanField()

    def to_representation(self, instance: AgentMessage) -> Any:
        """As people see it."""
        return super().to_representation(shown_message(instance))


class NewCustomMessageSerializer(BodySerializer):
    """A custom message to the agent: data as text, or in base64."""

    capability = serializers.CharField(max_length=200, help_text="one that the agent announced")
    type = serializers.CharField(max_length=LONGEST_TYPE, allow_blank=True, default="")
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    base64 = serializers.CharField(required=False, allow_blank=True)


class AgentCommands(ApiViewSet[Agent]):
    """The calls of an agent's resource that make it do something."""

    @extend_schema(request=RestartSerializer, responses={202: CommandSerializer})
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def restart(self, request: Request, uid: UUID) -> Response:
        """Have the collector stopped and started. 409 where it is not accepted, or the agent is not connected."""
        reason = self.validated(RestartSerializer)["reason"]
        return _accepted(restart_agent(agent=self.get_object(), actor=self.actor, reason=reason))

    @extend_schema(request=ReasonSerializer, responses=AgentSerializer)
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def retry(self, request: Request, uid: UUID) -> Response:
        """Offer what failed there once more, by way of the version before. 409 where nothing can be retried."""
        reason = self.validated(ReasonSerializer)
        retry_agent(agent=self.get_object(), actor=self.actor, **reason)
        return self.one(shown_agent(self.get_object()))

    @extend_schema(request=ModeSerializer, responses=AgentSerializer)
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def mode(self, request: Request, uid: UUID) -> Response:
        """Manage it, or only observe it from now on. 404 for one that is in no fleet."""
        wanted = self.validated(ModeSerializer)
        wanted["mode"] = ArrivalMode(wanted["mode"])
        set_mode(agent=self.get_object(), actor=self.actor, **wanted)
        return self.one(shown_agent(self.get_object()))

    @extend_schema(responses=CustomMessageSerializer(many=True))
    @action(detail=True, filter_backends=[])
    def messages(self, request: Request, uid: UUID) -> Response:
        """The custom messages that are kept of it, newest first."""
        rows = self.get_object().messages.all()
        return self.page(rows, CustomMessageSerializer, ordering=("-id",))

    @extend_schema(request=NewCustomMessageSerializer, responses={202: CommandSerializer})
    @messages.mapping.post
    def send_message(self, request: Request, uid: UUID) -> Response:
        """Send one. 409 where the agent did not announce the capability, or is not connected."""
        given = self.validated(NewCustomMessageSerializer)
        command = send_message(
            agent=self.get_object(),
            capability=given["capability"],
            kind=given["type"],
            data=_data_of(given),
            actor=self.actor,
        )
        return _accepted(command)


def _data_of(given: dict[str, Any]) -> bytes:
    """The bytes to send. Raises DomainError for both forms at once, and for what is no base64."""
    if "text" in given and "base64" in given:
        raise DomainError("Give the data as text or as base64, not both.", field="base64")
    if "base64" not in given:
        return str(given.get("text", "")).encode()
    try:
        return base64.b64decode(given["base64"], validate=True)
    except binascii.Error as error:
        raise DomainError("This is no base64.", field="base64") from error


def _accepted(command: AgentCommand) -> Response:
    return Response(CommandSerializer(command).data, status=202)
