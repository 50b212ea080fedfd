"""Shapes that several resources share."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from telflo.base.models import User


@extend_schema_field(OpenApiTypes.STR)
class UsernameField(serializers.Field[User, str, str, User]):
    """A person by user name; null when nobody or somebody who is gone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: User) -> str:
        """The user name."""
        return value.username


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a step is taken, for the activity log."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
