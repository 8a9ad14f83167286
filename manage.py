#!/usr/bin/env python
"""Django's command line."""

import gc
import os
import sys

from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

from backend.core import correlation
from backend.core.environment import Misconfigured

if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # a sixth of the start went into a search for garbage among modules
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DATABASE_WAITS", "command")
    correlation.begin()  # what a command does to a booking is one piece of work, as a request is
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except Misconfigured as error:
        sys.exit(f"Misconfigured: {error}")
    except (OperationalError, InterfaceError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Database error: {error}")
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
