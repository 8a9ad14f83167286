"""Contact sheets of all mails and an index, in var/mail-preview/: `python -m tests.mail_preview`."""

from __future__ import annotations

import os
import sys

import pytest

from config.local import keys


def main() -> int:
    """pytest's exit code."""
    os.environ.update(keys.generate(), DEBUG="1", VAR_DIR="var/test", ENV_FILE=os.devnull)
    return int(pytest.main(["-q", "-p", "no:randomly", "--timeout=900", "tests/mail_preview/pictures.py"]))


if __name__ == "__main__":
    sys.exit(main())
