"""Schema."""

from drf_spectacular.openapi import AutoSchema


class TelfloAutoSchema(AutoSchema):
    """Schema."""
