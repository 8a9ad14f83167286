"""Which font writes which letters: names come in every script of India, often beside Latin."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent / "vendor" / "noto"
LATIN, BOLD = "NotoSans", "NotoSans-Bold"
_BLOCKS = (  # first letter, letter after the last one, font; by https://www.unicode.org/Public/UNIDATA/Blocks.txt
    (0x0600, 0x0700, "NotoNaskhArabic"),
    (0x0900, 0x0980, "NotoSansDevanagari"),
    (0x0980, 0x0A00, "NotoSansBengali"),
    (0x0A00, 0x0A80, "NotoSansGurmukhi"),
    (0x0A80, 0x0B00, "NotoSansGujarati"),
    (0x0B00, 0x0B80, "NotoSansOriya"),
    (0x0B80, 0x0C00, "NotoSansTamil"),
    (0x0C00, 0x0C80, "NotoSansTelugu"),
    (0x0C80, 0x0D00, "NotoSansKannada"),
    (0x0D00, 0x0D80, "NotoSansMalayalam"),
    (0x1C50, 0x1C80, "NotoSansOlChiki"),
    (0x1CD0, 0x1D00, "NotoSansDevanagari"),  # signs of Vedic texts
    (0xA8E0, 0xA900, "NotoSansDevanagari"),
    (0xAAE0, 0xAB00, "NotoSansMeeteiMayek"),
    (0xABC0, 0xAC00, "NotoSansMeeteiMayek"),
)
_FIRST = [block[0] for block in _BLOCKS]
_JOINERS = "\u200c\u200d"  # of two letters of one word
_PLAIN = frozenset(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])) | frozenset("–—‘’“”…₹")


def smallest(font: str, text: str) -> str:
    """This one of the two Latin fonts, or its part that has these letters: it is read in a third less CPU a document.

    What is drawn is the same, to the byte.
    """
    return f"{font}-Plain" if _PLAIN.issuperset(text) else font


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Font and text, piece by piece: within one letters may join, so what has no script of its own stays with it."""
    font = LATIN
    fonts = [font := _font_of(letter, after=font) for letter in text]
    place = 0
    for font, letters in groupby(fonts):
        length = len(list(letters))
        yield font, text[place : place + length]
        place += length


def _font_of(letter: str, *, after: str) -> str:
    if letter in _JOINERS:
        return after
    block = bisect_right(_FIRST, ord(letter)) - 1
    if block >= 0 and ord(letter) < _BLOCKS[block][1]:
        first_two = letter in "\u0964\u0965" and after != LATIN  # the dandas, which all scripts of India share
        return after if first_two else _BLOCKS[block][2]
    return LATIN
