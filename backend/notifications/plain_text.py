"""The text of a mail, read off its HTML: one template says both, so that they cannot differ.

It knows what our own templates are made of: headings, paragraphs, lists, tables of facts, links. A link stands on a
line of its own below the words that hold it, so that a mail program finds all of it and nothing more. Lines are not
broken: the reader's program knows how wide its window is, and a telephone number stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

_GAP = "\n\n"
_ROWS = frozenset(("tr", "li"))
_BLOCKS = frozenset(("p", "h1", "ul", "div", "table")) | _ROWS
_EMPTY = frozenset(("br", "meta"))  # tags that have no end
_UNREAD = frozenset(("style", "script"))
_HTML_ONLY = "html-only"  # the class of what only a reader of HTML needs


def of_html(html: str) -> tuple[str, str]:
    """The title on one line, and the body as text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join(reader.title.split()), reader.text()


class _Reader(HTMLParser):
    """Blocks as they end; `_words` and `_links` are those of the block that is open."""

    def __init__(self) -> None:
        super().__init__()
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

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        classes = (named.get("class") or "").split()
        if self._skipped or tag in _UNREAD or _HTML_ONLY in classes:
            self._skipped += [] if tag in _EMPTY else [tag]
        elif tag in _BLOCKS:
            self._end_block("" if tag in _ROWS else _GAP)
            self._is_item = tag == "li"
        elif tag == "a":
            self._link = named.get("href") or "", len(self._words)
        elif tag == "br":
            self._words += "\n"
        self._in_title = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._skipped.pop()
        elif tag in _BLOCKS:
            self._end_block("\n" if tag in _ROWS else _GAP)
        elif tag == "th":
            self._words = f"{self._words.strip()}: "
        elif tag == "a" and self._link is not None:
            self._end_link(*self._link)
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._skipped:
            self._words += re.sub(r"\s+", " ", data)

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
