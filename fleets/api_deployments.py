"""The REST API of quick deploy. The command is in the answer that makes it, and nowhere else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.models import Deployment, Fleet, Platform
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.releases import KNOWN_VERSIONS
from fleets.quickdeploy.services import (
    DEFAULT_LIFETIME,
    LONGEST_LIFETIME,
    MOST_USES,
    commands,
    create_deployment,
    public_url,
    revoke_deployment,
)
from telflo.base.access import Action
from telflo.base.activity import Actor
from telflo.base.api.serializers import BodySerializer, OneOf, ReasonSerializer, UsernameField
from telflo.base.api.views import ApiViewSet


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """A quick-deploy command, without its code."""

    fleet = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    options = serializers.DictField(read_only=True)
    created_by = UsernameField()

    class Meta:
        model = Deployment
        fields = [
            "id",
            "fleet",
            "code_prefix",
            "platform",
            "supervisor_version",
            "collector_version",
            "options",
            "max_uses",
            "uses",
            "created_by",
            "created_at",
            "expires_at",
            "revoked_at",
        ]
        read_only_fields = fields


class IssuedDeploymentSerializer(DeploymentSerializer):
    """A new command, shown in this answer alone."""

    command = serializers.CharField(read_only=True)
    foreground_command = serializers.CharField(read_only=True)
    script_url = serializers.URLField(read_only=True)

    class Meta(DeploymentSerializer.Meta):
        fields = [
            *DeploymentSerializer.Meta.fields,
            "command",
            "foreground_command",
            "script_url",
        ]
        read_only_fields = fields


class NewDeploymentSerializer(BodySerializer):
    """What a command shall install."""

    platform = OneOf(choices=Platform.choices)
    supervisor_version = serializers.CharField(default=KNOWN_VERSIONS[0].version, max_length=32)
    collector_version = serializers.CharField(default=KNOWN_VERSIONS[0].version, max_length=32)
    options = serializers.DictField(
        required=False,
        help_text="transport, collector, config_files, labels, environment, proxy,"
        " automatic_rollback, crash_log_kib, apply_timeout_s, log_level",
    )
    secret_environment = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="values that each host is given once",
    )
    max_uses = serializers.IntegerField(min_value=1, max_value=MOST_USES, default=1)
    lifetime_seconds = serializers.IntegerField(
        min_value=60,
        max_value=int(LONGEST_LIFETIME.total_seconds()),
        default=int(DEFAULT_LIFETIME.total_seconds()),
    )


class DeploymentViewSet(ApiViewSet[Deployment]):
    """Quick-deploy commands by their ids."""

    serializer_class = DeploymentSerializer
    lookup_value_converter = "uuid"
    required_actions = {"retrieve": Action.VIEW, "revoke": Action.ENROL}

    def get_queryset(self) -> QuerySet[Deployment]:
        """All of them, without their secrets."""
        rows = Deployment.objects.select_related("fleet", "created_by")
        return rows.defer("secret_environment")

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One command and how often it was used."""
        return self.one(DeploymentSerializer(self.get_object()).data)

    @extend_schema(request=ReasonSerializer, responses=DeploymentSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: UUID) -> Response:
        """It installs nothing from now on. Tokens of hosts that used it stay."""
        found, reason = self.get_object(), self.validated(ReasonSerializer)
        revoke_deployment(deployment=found, actor=self.actor, **reason)
        return self.one(DeploymentSerializer(self.get_object()).data)


def make_deployment(
    request: Request, fleet: Fleet, wanted: Mapping[str, Any], actor: Actor
) -> Response:
    """Make the command and answer it, this once. Raises InvalidOptions."""
    values = dict(wanted)
    options = DeploymentOptions.from_json(values.pop("options", {}))
    lifetime = timedelta(seconds=values.pop("lifetime_seconds"))
    issued = create_deployment(
        fleet=fleet, actor=actor, options=options, lifetime=lifetime, **values
    )
    address = f"{request.scheme}://{request.get_host()}"
    lines = commands(issued.code, base_url=address)
    secrets = {
        "command": lines.install,
        "foreground_command": lines.foreground,
        "script_url": f"{public_url(address)}/install/{issued.code}",
    }
    return Response({**DeploymentSerializer(issued.deployment).data, **secrets}, status=201)
