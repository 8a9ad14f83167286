"""What every list of staff's API takes: a cursor, filters by lookup, and which fields to answer with."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from functools import cache, partial
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from backend.api.fields import DayField, IdField, InstantField, WholeNumberField
from backend.api.staff.fields import ListedField, NamesField

PAGE_MOST, PAGE_USUAL = 100, 50  # rows
T = TypeVar("T", bound=Model)

_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."
instant = partial(InstantField, _WHEN, required=False, allow_null=True, default=None)
day = partial(DayField, "Please write the day as YYYY-MM-DD.", required=False, allow_null=True, default=None)


def limited() -> WholeNumberField:
    """How many rows a page has."""
    ask = f"Please ask for at most {PAGE_MOST} rows."
    return WholeNumberField(ask, least=1, most=PAGE_MOST, required=False, default=PAGE_USUAL)


class ListRequest(serializers.Serializer[Any]):
    """Which page of a list, and whatever narrows it: a parameter `name__lookup` for each lookup of a column."""

    limit = limited()

    def lookups(self) -> Q:
        """The filters, as the query takes them."""
        given = self.validated_data.items()
        return Q(**{name: value for name, value in given if "__" in name and value is not None})


class RowsRequest(ListRequest):
    """Of rows that are known by their number."""

    after = IdField("Please give the `next` of the page before.", required=False, allow_null=True, default=None)


def requested(answer: type[serializers.Serializer[Any]], base: type[Any] = RowsRequest, **filters: Any) -> type[Any]:
    """The parameters of a list of `answer`, with `filters` by `name__lookup`."""
    name = answer.__name__.removesuffix("Answer")
    fields = NamesField(list(answer().fields))
    return type(f"{name}Wanted", (base,), {"__doc__": f"Which of {name}.", **filters, "fields": fields})


class Sparse(serializers.Serializer[Any]):
    """What `fields` may leave out: nothing of it is required."""

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        for field in found.values():
            field.required = False
        return found


@cache
def sparse(answer: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """How the schema describes an answer of which `fields` chooses."""
    about = f"{inspect.getdoc(answer) or ''}\n\nWithout `fields` all of it.".strip()
    return type(f"Some{answer.__name__}", (Sparse, answer), {"__doc__": about})


def any_of(field: serializers.Field[Any, Any, Any, Any]) -> ListedField:
    """For the lookup `__in`: one or more, commas between them."""
    return ListedField(field)


def page(rows: QuerySet[T], after: int | None, limit: int, *, order: str = "-pk") -> tuple[list[T], int | None]:
    """Rows behind the one with the id `after`, in the order of one column, and the id to go on from.

    Refuses with 400 an `after` that is no row.
    """
    column, is_falling = order.removeprefix("-"), order.startswith("-")
    if after is not None:
        rows = rows.filter(_behind(rows, column, after, "lt" if is_falling else "gt"))
    found = list(rows.order_by(order, "-pk" if is_falling else "pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def _behind(rows: QuerySet[Any], column: str, after: int, lookup: str) -> Q:
    if column == "pk":
        return Q(**{f"pk__{lookup}": after})
    value = rows.model._default_manager.filter(pk=after).values_list(column, flat=True).first()
    if value is None:
        raise serializers.ValidationError({"after": "Please give the `next` of the page before."})
    return Q(**{f"{column}__{lookup}": value}) | Q(**{column: value, f"pk__{lookup}": after})


def chosen(values: Mapping[str, Any], names: Collection[str] | None) -> dict[str, Any]:
    """Those that were asked for, all for None. What is costly or recorded is given as a function, called only then."""
    found = {name: value for name, value in values.items() if names is None or name in names}
    return {name: value() if callable(value) else value for name, value in found.items()}
