"""Contact sheets of all mails and an index, in var/mail-preview/: `python -m tests.mail_preview`."""

from __future__ import annotations

import os
import sys

import pytest

from config.local import keys
from config.local.console import end_pytest_in_order


def main() -> int:
    """pytest's exit code."""
    end_pytest_in_order()
    os.environ.update(keys.generate(), DEBUG="1", VAR_DIR="var/test", ENV_FILE=os.devnull)
    return int(pytest.main(["-q", "-p", "no:randomly", "--timeout=900", "tests/mail_preview/pictures.py"]))


if __name__ == "__main__":
    sys.exit(main())
