"""Words of answers, each list of them once in the schema and by its own name, so that a client has one type for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db.models import TextChoices
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

Words = type[TextChoices] | type[StrEnum]


class WordField(serializers.Field[Any, Any, Any, Any]):
    """One of an enumeration's values. `may_grow`: a client must expect one that it does not know.

    `or_empty`: the empty text stands for none.
    """

    def __init__(self, words: Words, *, may_grow: bool = False, or_empty: bool = False, **kwargs: Any) -> None:
        self.words, self.may_grow, self.or_empty = words, may_grow, or_empty
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> str:
        """As it is stored."""
        return str(value)


class WordShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Its shape, under the enumeration's name."""

    target_class = WordField

    def map_serializer_field(self, auto_schema: AutoSchema, _direction: str) -> dict[str, Any]:
        return once(auto_schema, self.target.words, may_grow=self.target.may_grow, or_empty=self.target.or_empty)


def once(auto_schema: AutoSchema, words: Words, *, may_grow: bool = False, or_empty: bool = False) -> dict[str, Any]:
    """A reference to the list, which stands under the enumeration's name, with the empty text as `…OrEmpty`.

    One that may grow admits any text: a client made from a closed list could not read a new word.
    """
    name, empty = (f"{words.__name__}OrEmpty", [""]) if or_empty else (words.__name__, [])
    shape: dict[str, Any] = {"type": "string", "enum": [*(str(word.value) for word in words), *empty]}
    if may_grow:
        shape = {"anyOf": [shape, {"type": "string"}], "description": "New ones may come."}
    component: Any = ResolvedComponent(  # type: ignore[no-untyped-call]
        name, ResolvedComponent.SCHEMA, shape, (words, or_empty)
    )
    auto_schema.registry.register_on_missing(component)
    reference: dict[str, Any] = component.ref
    return reference
