"""The sentences that visitors read, in every language: found in the sources, kept in `backend/locale`, compiled.

`python -m config.local.messages` brings each .po file up to date with the sources, and each .mo file with its .po;
`--new ta` begins a language. Babel reads and compiles, for a bare machine has no gettext.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "backend"
LOCALE = SOURCES / "locale"
# staff's own pages stay English
LEFT_OUT = ("desk", "ops", "accounts", "staff", "locale", "migrations")
# sentences are marked by where they stand, too: which argument of these is one that visitors read
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "pgettext_lazy": ((1, "c"), 2),
    "Refusal": (3,),
    "TextQuestion": (1,),
    "NumberQuestion": (1,),
    "TimeQuestion": (1,),
    "ConsentField": (1,),
    "ChoiceField": (1,),
    "DayField": (1,),
    "IdField": (1,),
    "InstantField": (1,),
    "LineField": (1,),
    "ParagraphField": (1,),
}
_HEADER = "# Sentences that visitors read. `make messages` renews this file and what is compiled of it."
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a file says what it holds, not when it was made


def extracted() -> Catalog:
    """Every sentence of the sources, by file."""
    found = Catalog(project="bookings", charset="utf-8", creation_date=_NEVER, revision_date=_NEVER)
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix in (".py", ".html") and not {*path.relative_to(SOURCES).parts} & {*LEFT_OUT}:
            for message, context in _sentences(path):
                found.add(message, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return found


def _sentences(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    source = path.read_text()
    if path.suffix == ".html":
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
    for _, message, _, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
        yield message, context


def languages() -> list[str]:
    """Those that have a file."""
    return sorted(path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def po_file(language: str) -> Path:
    """Where its translations stand."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """What its file says."""
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """Its sentences as the sources have them now; a new one is untranslated, for to guess is to err."""
    catalog = read(language) if po_file(language).exists() else Catalog(locale=language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment, catalog.creation_date, catalog.revision_date = _HEADER, _NEVER, _NEVER
    return catalog


def written(catalog: Catalog) -> bytes:
    """As its .po file."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=118, sort_by_file=True, include_lineno=False)
    return buffer.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """As its .mo file."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def main() -> None:
    """Renew all, and say what is left to translate."""
    new = sys.argv[2:] if sys.argv[1:2] == ["--new"] else []
    for language in [*languages(), *new]:
        catalog, file = updated(language), po_file(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(catalog))
        file.with_suffix(".mo").write_bytes(compiled(catalog))
        left = [message for message in catalog if message.id and not _is_translated(message)]
        sys.stdout.write(f"{language}: {len(catalog)} sentences, {len(left)} to translate\n")


def _is_translated(message: object) -> bool:
    said = getattr(message, "string", "")
    return all(said) if isinstance(said, tuple) else bool(said)


if __name__ == "__main__":
    main()
