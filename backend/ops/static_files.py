"""Whether this machine has the release's static files: each that serves the web collects its own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders


@lru_cache(maxsize=1)
def are_collected() -> bool:
    """Each file is there, in the size it has in the release.

    Looked at once: what serves them reads the folder when the process starts.
    """
    if settings.WHITENOISE_USE_FINDERS:
        return True  # served from where they lie
    found = {name: storage.size(name) for finder in get_finders() for name, storage in reversed([*finder.list([])])}
    return all(_size(name) == size for name, size in found.items())


def _size(name: str) -> int | None:
    try:
        return (Path(settings.STATIC_ROOT) / name).stat().st_size
    except FileNotFoundError:
        return None
