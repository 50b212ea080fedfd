"""Shapes that the resources of this app share."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from configs.models import ConfigVersion
from telflo.base.errors import DomainError


class VersionRefSerializer(serializers.Serializer[Any]):
    """A configuration version by its name."""

    id = serializers.UUIDField()
    configuration = serializers.CharField(source="configuration.name")
    number = serializers.IntegerField()


def version_by_id(version_id: UUID | None) -> ConfigVersion | None:
    """The version, None for None. Raises DomainError (field "version") when there is none of this id."""
    if version_id is None:
        return None
    found = ConfigVersion.objects.without_text().select_related("configuration")
    version = found.filter(pk=version_id).first()
    if version is None:
        raise DomainError("There is no version of this id.", field="version", code="unknown")
    return version
