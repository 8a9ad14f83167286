"""The text of a mail, read off its HTML: one template says both, so that they cannot differ.

It knows what our own templates are made of: headings, paragraphs, lists, tables of facts, links; no comments, and no
`<` or `>` but those of tags, for values are escaped. Python's parser takes whatever there is, and four times as long. A
link stands on a line of its own below the words that hold it, so that a mail program finds all of it and nothing more.
Lines are not broken: the reader's program knows how wide its window is, and a telephone number stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from typing import NamedTuple

_GAP = "\n\n"
_ROWS = frozenset(("tr", "li"))
_BLOCKS = frozenset(("p", "h1", "ul", "div", "table")) | _ROWS
_EMPTY = frozenset(("br", "meta"))  # tags that have no end
_UNREAD = frozenset(("style", "script"))
_HTML_ONLY = "html-only"  # the class of what only a reader of HTML needs
_TAG = re.compile("(<[^<>]*>)")
_NAME = re.compile("</?([a-z][a-z0-9]*)")
_CLASS, _HREF = (re.compile(f'\\s{name}="([^"]*)"') for name in ("class", "href"))


def of_html(html: str) -> tuple[str, str]:
    """The title on one line, and the body as text."""
    reader = _Reader()
    words, *others = _TAG.split(html)
    reader.take_words(words)
    for text, words in zip(others[::2], others[1::2], strict=True):
        reader.take_tag(_link(text) if text.startswith("<a ") else _tag(text))
        if words:
            reader.take_words(words)
    return " ".join(reader.title.split()), reader.text()


class _Tag(NamedTuple):
    name: str  # empty where it is none, as a doctype
    is_end: bool
    is_html_only: bool = False
    href: str = ""


@lru_cache(maxsize=256)
def _tag(text: str) -> _Tag:
    """One without a value of the mail."""
    name, classes = _NAME.match(text), _CLASS.search(text)
    return _Tag(
        name=name[1] if name else "",
        is_end=text.startswith("</"),
        is_html_only=classes is not None and _HTML_ONLY in classes[1].split(),
    )


def _link(text: str) -> _Tag:
    href = _HREF.search(text)
    return _tag(_HREF.sub("", text))._replace(href=unescape(href[1]) if href else "")


class _Reader:
    """Blocks as they end; `_words` and `_links` are those of the block that is open."""

    def __init__(self) -> None:
        self.title = ""
        self._blocks: list[str] = []
        self._words = ""
        self._links: list[tuple[str, str]] = []
        self._link: tuple[str, int] | None = None  # where it leads, and where its words begin
        self._skipped: list[str] = []  # open tags, of which the outermost is left out
        self._is_item = self._in_title = False

    def text(self) -> str:
        """A blank line between blocks; rows of a table and items of a list stay together."""
        self._end_block()
        return re.sub(r"\n{3,}", "\n\n", "".join(self._blocks)).strip() + "\n"

    def take_tag(self, tag: _Tag) -> None:
        """One that begins, or one that ends."""
        if tag.is_end:
            self._end(tag)
        else:
            self._begin(tag)

    def _begin(self, tag: _Tag) -> None:
        name = tag.name
        if self._skipped or name in _UNREAD or tag.is_html_only:
            self._skipped += [] if name in _EMPTY else [name]
        elif name in _BLOCKS:
            self._end_block("" if name in _ROWS else _GAP)
            self._is_item = name == "li"
        elif name == "a":
            self._link = tag.href, len(self._words)
        elif name == "br":
            self._words += "\n"
        self._in_title = name == "title"

    def _end(self, tag: _Tag) -> None:
        name = tag.name
        if self._skipped:
            self._skipped.pop()
        elif name in _BLOCKS:
            self._end_block("\n" if name in _ROWS else _GAP)
        elif name == "th":
            self._words = f"{self._words.strip()}: "
        elif name == "a" and self._link is not None:
            self._end_link(*self._link)
        elif name == "title":
            self._in_title = False

    def take_words(self, words: str) -> None:
        """What stands between two tags."""
        if self._in_title:
            self.title += unescape(words)
        elif not self._skipped:
            self._words += " ".join(f"|{unescape(words)}|".split())[1:-1]  # one space for any, also at its ends

    def _end_link(self, href: str, begins: int) -> None:
        self._link = None
        label = self._words[begins:].strip()
        if label != href and href.startswith("http"):
            self._links.append((label, href))

    def _end_block(self, gap: str = _GAP) -> None:
        lines = [stripped for line in self._words.split("\n") if (stripped := line.strip())]
        if lines:
            self._blocks.append(("- " if self._is_item else "") + _with_links("\n".join(lines), self._links))
        self._blocks.append(gap)
        self._words, self._links, self._is_item = "", [], False


def _with_links(text: str, links: Sequence[tuple[str, str]]) -> str:
    """Of a block that is nothing but its link the words above, of another each link's own again."""
    if [text] == [label for label, _ in links]:
        return f"{text}:\n{links[0][1]}"
    return "\n".join([text, *(f"{label}:\n{href}" for label, href in links)])
