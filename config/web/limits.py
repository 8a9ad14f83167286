"""How long a client may take, and how much it may hold. A deadline is for the whole: one byte a second ends as well."""

from __future__ import annotations

BODY_WITHIN = 10.0  # seconds for at most MAX_BODY_BYTES: 128 kB come through 100 kbit/s
HEAD_WITHIN_MS = 10_000  # also how long an idle connection is kept for its next request
ANSWER_WITHIN_MS = 20_000  # without a byte taken; then the kernel ends the connection
LONGEST_HEAD_BYTES = 16 * 1024  # the server's own 431; an honest head is below 2 kB
CONNECTIONS = 4096  # a worker's; idle ones cost some kB each
OTHER_FILES = 256  # the database's connections, logs, the program itself
