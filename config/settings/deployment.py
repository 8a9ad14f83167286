"""Where this deployment is, under which addresses, and whose practice it serves."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.core import environment as env
from backend.core.environment import Misconfigured
from config.settings.env_file import BASE_DIR

DEBUG = env.flag("DEBUG", "development conveniences; `make run` sets it, production never does")
VAR_DIR = Path(
    env.text("VAR_DIR", "folder of everything that is not code", default=str(BASE_DIR / "var"), shown_default="`var`")
)
VAR_DIR.mkdir(parents=True, exist_ok=True)
PUBLIC_URL = env.url("PUBLIC_URL", "this backend as the world sees it", default="http://localhost:8000")
FRONTEND_URL = env.url(
    "FRONTEND_URL",
    "the site, where mailed links lead; unset, visitors use the pages of this backend",
    default=PUBLIC_URL,
    example="https://www.example.org",
    shown_default="PUBLIC_URL",
)
HAS_OTHER_SITE = FRONTEND_URL != PUBLIC_URL
QUICK_EXIT_URL = env.url(
    "QUICK_EXIT_URL",
    "where *Leave this page* leads, for who is not alone at the screen; it is not told where they come from",
    default="https://www.google.com/",
)
THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")  # probes and Prometheus ask here; no link is made from a Host
ALLOWED_HOSTS = [
    *env.listing(
        "ALLOWED_HOSTS",
        "host names this backend answers to, beside those of this machine alone; probes from elsewhere send one of them",
        default="",
        example="api.example.org",
        each=rf"\.?({env.HOST})|\*",
        expected="a host's name, without scheme, port and path",
    ),
    *THIS_MACHINE,
]
TRUSTED_PROXIES = env.integer(
    "TRUSTED_PROXIES", "number of proxies in front whose X-Forwarded-For we believe", default=0
)
PRACTICE_NAME = env.text("PRACTICE_NAME", "the name mails are signed with", default="MindSettler")
PRACTICE_TIME_ZONE = env.text(
    "PRACTICE_TIME_ZONE", "the practice's IANA zone; its days are business days", default="Asia/Kolkata"
)
try:
    ZoneInfo(PRACTICE_TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError) as _error:
    raise Misconfigured(
        f"PRACTICE_TIME_ZONE={PRACTICE_TIME_ZONE!r}: not an IANA time zone such as Asia/Kolkata."
    ) from _error
