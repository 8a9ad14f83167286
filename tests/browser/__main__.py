"""All browser tests, and their screenshots in var/screenshots/: `python -m tests.browser`."""

from __future__ import annotations

import os
import sys

import pytest

from config.local import keys
from config.local.console import end_pytest_in_order


def main() -> int:
    """pytest's exit code. More words of the command line go to it."""
    end_pytest_in_order()
    os.environ.update(keys.generate(), DEBUG="1", VAR_DIR="var/test", ENV_FILE=os.devnull, BROWSER="all")
    return int(pytest.main(["-q", "tests/browser", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
