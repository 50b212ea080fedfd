"""What the OpenAPI schema says of every call: problem answers, Idempotency-Key, If-Match."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from telflo.base.api.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `detail` is for people, `type` for programs.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reference": {"type": "string", "description": "Of a failure in the server's log."},
        "draft": {"type": "object", "description": "The draft as it is now: draft-changed."},
        "patch": {"type": "string", "description": "From what was sent to it: draft-changed."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "line": {"type": "integer"},
                    "column": {"type": "integer"},
                },
            },
        },
    },
}
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body again is done once; the answer is repeated without secrets.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag read; 412 when it changed since.",
)


class TelfloAutoSchema(AutoSchema):
    """drf-spectacular's description with what all our calls have in common."""

    def get_override_parameters(self) -> list[Any]:
        """The declared parameters and the headers that writes take."""
        declared = list(super().get_override_parameters())
        if self.method in {"POST", "PATCH", "PUT", "DELETE"}:
            declared.append(_IDEMPOTENCY_KEY)
        if self.method in {"PATCH", "PUT"}:
            declared.append(_IF_MATCH)
        return declared

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation, with a problem as the default answer."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        component = ResolvedComponent(  # type: ignore[no-untyped-call]  # has no types
            name="Problem", type=ResolvedComponent.SCHEMA, schema=_PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        operation["responses"]["default"] = {
            "description": "What went wrong.",
            "content": {MEDIA_TYPE: {"schema": component.ref}},
        }
        return operation
