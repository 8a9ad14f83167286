"""What programs of staff may ask, as OpenAPI: for staff alone."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api import schema
from backend.api.staff.auth import IsStaff, StaffView


class StaffSchema(StaffView):
    """GET: staff's part of the API as OpenAPI 3.1."""

    area = Area.BOOKINGS
    permission_classes = (IsStaff,)

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        return Response(schema.part(is_staffs=True))

    def may_read(self) -> bool:
        """It tells nothing of anybody: whoever may log in may know what there is to ask."""
        return True
