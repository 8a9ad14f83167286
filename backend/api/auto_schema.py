"""How the schema's generator names an operation, and what it leaves out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from backend.api import fields


class Described(AutoSchema):
    """Of every view of the API."""

    def get_operation_id(self) -> str:
        """Of a view at several addresses, which cannot be given one name: that of its address."""
        name: str = super().get_operation_id()
        return name.removesuffix("_retrieve")

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        """Without the default that a choice's own list does not hold: a client's generator gives up on it."""
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if isinstance(field, fields.ChoiceField | serializers.ChoiceField) and meta.get("default") == "":
            del meta["default"]
        return meta
