"""Shapes that several resources share."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from telflo.base.models import User


@extend_schema_field(OpenApiTypes.STR)
class UsernameField(serializers.Field[User, str, str, User]):
    """A person by user name; null when nobody or somebody who is gone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: User) -> str:
        """The user name."""
        return value.username


class OneOf(serializers.ChoiceField):
    """One of some words. What is none of them is answered with those that are."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        known = ", ".join(map(str, self.choices))
        self.error_messages["invalid_choice"] = f"“{{input}}” is not known. Known are: {known}."


class BodySerializer(serializers.Serializer[Any]):
    """The body of a call, or an object in it: a field that nobody knows is a 400, not ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The checked values. Raises ValidationError that names the fields that are not known."""
        known = [str(field.field_name) for field in self._writable_fields]
        unknown = [name for name in data if name not in known] if isinstance(data, dict) else []
        if unknown:
            message = f"This field is not known. Known are: {', '.join(known)}."
            raise serializers.ValidationError(
                {str(name): [ErrorDetail(message, code="unknown-field")] for name in unknown}
            )
        checked: dict[str, Any] = super().to_internal_value(data)
        return checked


class ReasonSerializer(BodySerializer):
    """Why a step is taken, for the activity log."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
