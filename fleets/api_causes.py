"""Why targets of a rollout failed, as the API shows it."""

from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

_SHOWN_UIDS: Final = 100


class SharedSerializer(serializers.Serializer[Any]):
    """What those that failed share more often than those that did not. later: how many that wait have it too."""

    key = serializers.CharField()
    value = serializers.CharField()
    failed = serializers.IntegerField()
    of_failed = serializers.IntegerField()
    others = serializers.IntegerField()
    of_others = serializers.IntegerField()
    later = serializers.IntegerField()


class LineSerializer(serializers.Serializer[Any]):
    """A line of the version's text, secrets masked."""

    number = serializers.IntegerField(help_text="from 1")
    text = serializers.CharField()


class CauseSerializer(serializers.Serializer[Any]):
    """Failures of one cause. id: for `retry/`; error: the whole words of the first, secrets masked; gist: what of them
    says why, without the log around it; line: of the version's text, where that names a component or key of it;
    instance_uids: the first hundred.
    """

    id = serializers.CharField()
    count = serializers.IntegerField()
    error = serializers.CharField()
    gist = serializers.CharField()
    line = LineSerializer(allow_null=True)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    instance_uids = serializers.SerializerMethodField()
    shared = SharedSerializer(many=True)

    def get_instance_uids(self, cause: Any) -> list[UUID]:
        """Who failed so, the earliest first."""
        return list(cause.uids[:_SHOWN_UIDS])


class FailuresSerializer(serializers.Serializer[Any]):
    """Why targets failed, the most frequent cause first; ten at most."""

    causes = CauseSerializer(many=True)
