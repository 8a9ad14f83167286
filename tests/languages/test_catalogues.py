"""Every sentence that visitors read is in every language, and says what is to be filled in."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message

from config.local import messages
from tests.support import latin

pytestmark = pytest.mark.sqlite_only

EVERY_LANGUAGE = pytest.mark.parametrize("language", messages.languages())
_BLANK = re.compile(r"%\(\w+\)s|\{\w*\}|</?\w+[^>]*>")


@pytest.fixture(scope="module")
def sources() -> Catalog:
    return messages.extracted()


def sentences(language: str) -> list[Message]:
    """Those of the file, without its header."""
    return [message for message in messages.read(language) if message.id]


def both(said: object) -> list[str]:
    """Singular and plural, or the one there is."""
    return [str(one) for one in said] if isinstance(said, tuple | list) else [str(said)]


@EVERY_LANGUAGE
def test_the_file_has_the_sentences_of_the_sources_and_no_others(language: str, sources: Catalog) -> None:
    """Red: run `make messages`, and translate what is new."""
    of_sources = {(one.context, both(one.id)[0]) for one in sources if one.id}
    assert {(one.context, both(one.id)[0]) for one in sentences(language)} == of_sources


@EVERY_LANGUAGE
def test_every_sentence_is_translated_and_none_is_a_guess(language: str) -> None:
    assert [one.id for one in sentences(language) if one.fuzzy or not all(both(one.string))] == []


@EVERY_LANGUAGE
def test_what_is_filled_in_and_what_is_linked_stands_in_the_translation_too(language: str) -> None:
    wrong = []
    for one in sentences(language):
        allowed = {found for text in both(one.id) for found in _BLANK.findall(text)}
        for said, meant in zip(both(one.string), both(one.id), strict=True):
            needed = set(_BLANK.findall(meant))
            if not needed <= set(_BLANK.findall(said)) <= allowed:
                wrong.append(said)
    assert wrong == []


@EVERY_LANGUAGE
def test_what_is_compiled_is_up_to_date(language: str) -> None:
    """Red: run `make messages`."""
    file = messages.po_file(language)
    assert file.with_suffix(".mo").read_bytes() == messages.compiled(messages.read(language))
    assert file.read_bytes() == messages.written(messages.updated(language))


def test_no_english_is_left_in_the_hindi_sentences() -> None:
    filled = (_BLANK.sub(" ", said) for one in sentences("hi") for said in both(one.string))
    assert [said for said in filled if latin.words(said.replace("?mode=", ""))] == []
