"""POST /validate/: what the validator says of a text. Nothing is kept."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from configs.api_shapes import ConfigFindingSerializer
from configs.collector.findings import as_json
from configs.models import ConfigVersion
from configs.services import checked_collector_version
from configs.views.judging import judged
from telflo.base.access import Action
from telflo.base.api.serializers import BodySerializer
from telflo.base.api.views import ApiViewSet

_BYTE_ORDER_MARK = "\ufeff"


class ValidateSerializer(BodySerializer):
    """A text, and the collector version that it is for."""

    yaml = serializers.CharField(trim_whitespace=False, allow_blank=True)
    collector_version = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=32
    )


class ValidationSerializer(serializers.Serializer[Any]):
    """valid: no finding is an error. left_off: how many findings more there are. No finding says a secret of the text;
    a fix that would is left out.
    """

    valid = serializers.BooleanField()
    findings = ConfigFindingSerializer(many=True)
    left_off = serializers.IntegerField()


class ValidateViewSet(ApiViewSet[ConfigVersion]):
    """The validator."""

    required_actions: ClassVar[dict[str, Action]] = {"create": Action.VIEW}
    reading_actions = frozenset({"create"})
    serializer_class = ValidateSerializer

    @extend_schema(request=ValidateSerializer, responses={200: ValidationSerializer})
    def create(self, request: Request) -> Response:
        """Check a text as a collector would read it. Changes nothing: a token that may read is enough."""
        body = self.validated(ValidateSerializer)
        version = checked_collector_version(body["collector_version"])
        report = judged(body["yaml"], version)
        findings = [as_json(one) for one in report.findings]
        if body["yaml"].startswith(_BYTE_ORDER_MARK):
            for one in findings:
                _count_mark(one)
        shown = {"valid": report.is_valid, "findings": findings, "left_off": report.left_off}
        return Response(ValidationSerializer(shown).data)


def _count_mark(finding: dict[str, Any]) -> None:
    """Places are those of the text as it was sent, the mark at its start included, which nobody reads."""
    for line, column in (("line", "column"), ("end_line", "end_column")):
        finding[column] += finding[line] == 1
    for fix in finding["fixes"]:
        for edit in fix["edits"]:
            edit["start"], edit["end"] = edit["start"] + 1, edit["end"] + 1
