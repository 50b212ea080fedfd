"""How the REST API shows configurations, versions, drafts, findings and differences."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from configs.collector.difference import Deed
from configs.collector.findings import Severity, as_json
from configs.models import Configuration, ConfigVersion, Draft
from configs.views.judging import judged
from telflo.base.api.serializers import BodySerializer, ReasonSerializer, UsernameField
from telflo.base.redaction import redact_text


@extend_schema_field({"type": ["string", "integer"]})
class StepField(serializers.Field[Any, Any, Any, Any]):
    """One step of a path: a key, or the number of an item."""

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


class TextEditSerializer(serializers.Serializer[Any]):
    """Put `text` where the characters `start` to `end` (excluded) of the text are, counted from 0."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()
    text = serializers.CharField()


class QuickFixSerializer(serializers.Serializer[Any]):
    """A quick fix; no edit of it overlaps another."""

    title = serializers.CharField()
    edits = TextEditSerializer(many=True)


class ConfigFindingSerializer(serializers.Serializer[Any]):
    """One thing that is wrong or could be better. Lines and columns count characters from 1, 0 for no place;
    end_column is excluded.
    """

    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=[one.value for one in Severity])
    message = serializers.CharField()
    path = serializers.ListField(child=StepField())
    line = serializers.IntegerField()
    column = serializers.IntegerField()
    end_line = serializers.IntegerField()
    end_column = serializers.IntegerField()
    doc_url = serializers.CharField()
    fixes = QuickFixSerializer(many=True)


class ConfigurationSerializer(serializers.ModelSerializer[Configuration]):
    """A configuration."""

    latest_version = serializers.IntegerField(read_only=True, allow_null=True)
    created_by = UsernameField()

    class Meta:
        model = Configuration
        fields = [
            "id",
            "name",
            "description",
            "latest_version",
            "created_by",
            "created_at",
            "updated_at",
            "archived_at",
        ]
        read_only_fields = fields


class NewConfigurationSerializer(BodySerializer):
    """What a configuration shall be."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(
        max_length=500, required=False, default="", allow_blank=True
    )


class ConfigurationChangeSerializer(BodySerializer):
    """What may change of a configuration."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)


class ConfigurationNameSerializer(serializers.ModelSerializer[Configuration]):
    """A configuration, named inside another resource."""

    class Meta:
        model = Configuration
        fields = ["id", "name"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[ConfigVersion]):
    """A version, without its text."""

    configuration = ConfigurationNameSerializer(read_only=True)
    author = UsernameField()
    published_by = UsernameField()

    class Meta:
        model = ConfigVersion
        fields = [
            "id",
            "configuration",
            "number",
            "state",
            "sha256",
            "size",
            "note",
            "collector_version",
            "author",
            "created_at",
            "published_by",
            "published_at",
        ]
        read_only_fields = fields


class VersionTextSerializer(VersionSerializer):
    """A version with its text, secrets masked unless the raw text was asked for."""

    yaml = serializers.SerializerMethodField()
    is_redacted = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField(help_text="without fixes")

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "yaml", "is_redacted", "findings"]
        read_only_fields = fields

    def get_yaml(self, version: ConfigVersion) -> str:
        """The text."""
        raw: str | None = self.context.get("raw")
        return redact_text(version.yaml) if raw is None else raw

    def get_is_redacted(self, version: ConfigVersion) -> bool:
        """Whether secrets in the text are masked."""
        return self.context.get("raw") is None

    @extend_schema_field(ConfigFindingSerializer(many=True))
    def get_findings(self, version: ConfigVersion) -> list[dict[str, Any]]:
        """What the validator says of it. Fixes would count in the unmasked text."""
        report = judged(version.yaml, version.collector_version)
        found = [{**as_json(one), "fixes": []} for one in report.findings]
        return list(ConfigFindingSerializer(found, many=True).data)


class NewVersionSerializer(BodySerializer):
    """A text to save. What is in it is judged by the parser, so that a fault has its line and column."""

    yaml = serializers.CharField(trim_whitespace=False, allow_blank=True)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
    collector_version = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=32
    )


class DiffLineSerializer(serializers.Serializer[Any]):
    """One line of a diff."""

    kind = serializers.ChoiceField(choices=["context", "add", "delete"])
    old = serializers.IntegerField(allow_null=True)
    new = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class DiffHunkSerializer(serializers.Serializer[Any]):
    """Changes that stand close together."""

    header = serializers.CharField()
    lines = DiffLineSerializer(many=True)


class MeaningChangeSerializer(serializers.Serializer[Any]):
    """One difference in meaning: what was there before and is now, as text, null for nothing."""

    path = serializers.CharField()
    deed = serializers.ChoiceField(choices=[one.value for one in Deed])
    was = serializers.CharField(allow_null=True)
    now = serializers.CharField(allow_null=True)


class DiffSerializer(serializers.Serializer[Any]):
    """What changed from `before` to `after`, secrets masked. `patch` is the same as text."""

    before = VersionSerializer()
    after = VersionSerializer()
    added = serializers.IntegerField()
    deleted = serializers.IntegerField()
    is_coarse = serializers.BooleanField()
    hunks = DiffHunkSerializer(many=True)
    patch = serializers.CharField()
    changes = MeaningChangeSerializer(
        many=True, allow_null=True, help_text="in meaning; null when a text cannot be read"
    )


class PublishSerializer(ReasonSerializer):
    """Why, and the rules whose warnings are accepted."""

    accept = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, help_text="ids of rules"
    )
    accept_warnings = serializers.BooleanField(
        required=False, default=False, help_text="accept all warnings"
    )


class CopySerializer(BodySerializer):
    """What the copy is called."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(
        max_length=500, required=False, default="", allow_blank=True
    )


class DraftSerializer(serializers.ModelSerializer[Draft]):
    """A draft, without its text. edited_by: null for who is gone; editor is how they were called."""

    configuration = ConfigurationNameSerializer(read_only=True)
    base = serializers.IntegerField(
        source="base.number", default=None, allow_null=True, read_only=True
    )
    edited_by = UsernameField()

    class Meta:
        model = Draft
        fields = [
            "configuration",
            "lock_version",
            "collector_version",
            "base",
            "edited_by",
            "editor",
            "edited_at",
            "begun_at",
        ]
        read_only_fields = fields


class DraftTextSerializer(DraftSerializer):
    """A draft with its text, secrets masked unless the raw text was asked for."""

    yaml = serializers.SerializerMethodField()
    is_redacted = serializers.SerializerMethodField()

    class Meta(DraftSerializer.Meta):
        fields = [*DraftSerializer.Meta.fields, "yaml", "is_redacted"]
        read_only_fields = fields

    def get_yaml(self, draft: Draft) -> str:
        """The text."""
        raw: str | None = self.context.get("raw")
        return redact_text(draft.yaml) if raw is None else raw

    def get_is_redacted(self, draft: Draft) -> bool:
        """Whether secrets in the text are masked."""
        return self.context.get("raw") is None


class PutDraftSerializer(BodySerializer):
    """The draft's new text. lock_version: that of the draft as it was read; null when there was none."""

    yaml = serializers.CharField(trim_whitespace=False, allow_blank=True)
    lock_version = serializers.IntegerField(allow_null=True, min_value=0)
    collector_version = serializers.CharField(
        required=False, allow_blank=True, max_length=32, help_text="left out: as it is"
    )


class SaveDraftSerializer(BodySerializer):
    """What changed and why; with lock_version the draft is saved only if it still is what was read."""

    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
    lock_version = serializers.IntegerField(
        required=False, default=None, allow_null=True, min_value=0
    )


class RestoreSerializer(BodySerializer):
    """lock_version: of the draft that is replaced; null when there is none."""

    lock_version = serializers.IntegerField(
        required=False, default=None, allow_null=True, min_value=0
    )
