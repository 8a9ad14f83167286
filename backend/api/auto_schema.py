"""How the schema's generator names an operation, and what it leaves out."""

from __future__ import annotations

from typing import Any

from backend.core.deferred import deferred

with deferred("rest_framework.test"):  # Django's own tools of tests, and all of unittest: to make a request of nobody
    from drf_spectacular.openapi import AutoSchema


class Described(AutoSchema):
    """Of every view of the API."""

    def get_operation_id(self) -> str:
        """Of a view at several addresses, which cannot be given one name: that of its address."""
        name: str = super().get_operation_id()
        return name.removesuffix("_retrieve")

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        """Without the empty default: a list of choices does not hold it, and generators give up on the operation."""
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if meta.get("default") == "":
            del meta["default"]
        return meta
