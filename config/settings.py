"""Django settings, read top to bottom; every variable is typed and a value that does not parse stops the start."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dj_database_url
from cryptography.fernet import Fernet
from dotenv import dotenv_values, load_dotenv

from backend.core import broker_url
from backend.core import environment as env
from backend.core.environment import Misconfigured
from backend.payments import gst

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = os.environ.get("ENV_FILE") or str(BASE_DIR / ".env")
load_dotenv(ENV_FILE)  # what the process was started with wins
NAMES_IN_ENV_FILE = tuple(dotenv_values(ENV_FILE, interpolate=False))  # judged once every variable is known

from config import mail, payments, rooms, schedule  # noqa: E402  # `schedule` reads variables, so the file must have been read

# -- where we are -----------------------------------------------------------------------------------------------------
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
except (ZoneInfoNotFoundError, ValueError) as error:
    raise Misconfigured(
        f"PRACTICE_TIME_ZONE={PRACTICE_TIME_ZONE!r}: not an IANA time zone such as Asia/Kolkata."
    ) from error

# -- secrets ----------------------------------------------------------------------------------------------------------
SECRET_KEY = env.text(
    "SECRET_KEY",
    "Django's key, at least 50 random characters",
    shown_default="required",
    example="`openssl rand -base64 48`",
)
TOKEN_KEY = env.listing(
    "TOKEN_KEY",
    "keys of mailed links, newest first; an old one stays while a mail that it signed waits",
    shown_default="required",
    example="`openssl rand -hex 32`",
)
FIELD_KEY = env.listing(
    "FIELD_KEY",
    "Fernet keys of encrypted text, newest first",
    shown_default="required",
    example="`openssl rand -base64 32`",
)
for _name, _value in (("SECRET_KEY", SECRET_KEY), ("TOKEN_KEY", TOKEN_KEY), ("FIELD_KEY", FIELD_KEY)):
    if not _value:
        raise Misconfigured(
            f"{_name} is not set. `make run` makes keys of its own; a production environment must give them."
        )

try:
    for _value in FIELD_KEY:
        Fernet(_value)
except ValueError as error:
    raise Misconfigured(
        "FIELD_KEY: each key must be 32 random bytes in base64, as `openssl rand -base64 32` prints."
    ) from error

# -- applications -----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "backend.desk",  # before the theme, whose frame it mends
    "jazzmin",
    "backend.core.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "simple_history",
    "backend.accounts.passkeys_app.PasskeysConfig",
    "backend.notifications.anymail_app.AnymailConfig",
    "backend.accounts",
    "backend.people",
    "backend.outbox",
    "backend.payments",
    "backend.rooms",
    "backend.bookings",
    "backend.audit",
    "backend.notifications",
    "backend.ops",
    "backend.api",
    "workers",
]
MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",  # first, so that every answer carries its header, a crash's too
    "backend.api.middleware.CorrelationIdMiddleware",
    "backend.api.middleware.JsonErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "backend.api.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backend.desk.account.middleware.SecondStepMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backend.api.middleware.BoundsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "backend.api.middleware.DatabaseUnavailableMiddleware",
    "backend.core.admin_pages.ForbiddenAsNotFoundMiddleware",
    "backend.api.access_record.AccessRecordMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a missing slash under /api/ is an error in JSON, never a redirect
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- database ---------------------------------------------------------------------------------------------------------
DATABASE_URL = env.text(
    "DATABASE_URL",
    "PostgreSQL 15 or newer",
    shown_default="SQLite in `var/`",
    example="postgresql://app:secret@db.example.org/mindsettler",
)
DATABASE_POOL = env.integer(
    "DATABASE_POOL",
    "connections to PostgreSQL that the threads of a web process share; workers keep one each",
    default=8,
)
DATABASE_LIMITS_BY = env.choice(
    "DATABASE_LIMITS_BY",
    "who sets the limits of waits on PostgreSQL: each connection's options, or the role behind a transaction pooler, which refuses options",
    ("connection", "role"),
    default="connection",
)
DATABASE_WAITS = env.choice(
    "DATABASE_WAITS",
    "which limits this process has; `manage.py` sets `command`, whose limits are the COMMAND_ ones",
    ("online", "command"),
    default="online",
)


# PostgreSQL's settings for who serves people
_online = {
    # people wait for it; an intent holds its rows for milliseconds. SQLite's only lock is the whole file
    "lock_timeout": env.duration(
        "DATABASE_LOCK_TIMEOUT",
        "longest wait for a row, or for SQLite's file, that another transaction holds",
        default="3s" if DATABASE_URL else "20s",
        example="5s",
        shown_default="3s; 20s on SQLite",
        may_be_zero=False,
    ),
    # below the 20 s that web and workers have to stop
    "statement_timeout": env.duration(
        "DATABASE_STATEMENT_TIMEOUT", "longest statement", default="15s", may_be_zero=False
    ),
    # no transaction waits for anything outside, so this one's process is frozen or cut off, and others want its rows
    "idle_in_transaction_session_timeout": env.duration(
        "DATABASE_IDLE_TIMEOUT", "longest silence within a transaction", default="10s", may_be_zero=False
    ),
}
# and for a command
_command = {
    # who waits to change a table keeps all others from it meanwhile, so a command must not wait long either
    "lock_timeout": env.duration(
        "COMMAND_LOCK_TIMEOUT", "as DATABASE_LOCK_TIMEOUT, for commands", default="10s", may_be_zero=False
    ),
    # an index of a large table
    "statement_timeout": env.duration(
        "COMMAND_STATEMENT_TIMEOUT", "as DATABASE_STATEMENT_TIMEOUT, for commands", default="30m", may_be_zero=False
    ),
    # a command computes between two statements
    "idle_in_transaction_session_timeout": env.duration(
        "COMMAND_IDLE_TIMEOUT", "as DATABASE_IDLE_TIMEOUT, for commands", default="10m", may_be_zero=False
    ),
}
DATABASE_LIMITS = _command if (DATABASE_WAITS, DATABASE_LIMITS_BY) == ("command", "connection") else _online
COMMAND_LOCK_TIMEOUT = _command["lock_timeout"]


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "db.sqlite3",
        # IMMEDIATE takes the write lock when a transaction begins; DEFERRED loses writers to "database is locked"
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": _online["lock_timeout"].total_seconds(),
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
    }


def _postgresql() -> dict[str, Any]:
    env.refuse_raw_password("DATABASE_URL", DATABASE_URL, ("postgres", "pgsql", "postgresql"))
    try:
        database: dict[str, Any] = {**dj_database_url.parse(DATABASE_URL)}
    except (ValueError, KeyError) as error:
        raise Misconfigured(
            "DATABASE_URL does not parse. Expected postgresql://user:password@host:port/name."
        ) from error
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise Misconfigured("DATABASE_URL must be postgresql://…; leave it unset for SQLite.")
    given = database.get("OPTIONS", {})  # what the URL says after its question mark
    if DATABASE_LIMITS_BY == "connection":
        # part of the connection's first packet: they cost no statement, and no later one can be met without them
        limits = [f"-c {name}={limit // timedelta(milliseconds=1)}" for name, limit in DATABASE_LIMITS.items()]
        given["options"] = " ".join([*limits, given.get("options", "")]).strip()
    else:
        database["DISABLE_SERVER_SIDE_CURSORS"] = True  # a cursor would outlive the pooler's transaction
    database["OPTIONS"] = {
        **given,
        "connect_timeout": 5,
        "application_name": "mindsettler",
    }
    if DATABASE_POOL:
        database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5}
    else:
        database["CONN_MAX_AGE"] = None  # workers and beat: one thread, one connection, kept
    database["CONN_HEALTH_CHECKS"] = True  # asked before each use: PostgreSQL may have restarted meanwhile
    return database


DATABASES = {"default": _postgresql() if DATABASE_URL else _sqlite()}

# -- broker -----------------------------------------------------------------------------------------------------------


def _embedded_broker() -> str:
    """The socket of the embedded Valkey. Socket paths end at about 100 bytes, so a deep folder moves it to the temp dir."""
    path = VAR_DIR.resolve() / "valkey.sock"
    if len(str(path)) > 90:
        path = Path(tempfile.gettempdir()) / f"mindsettler-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}.sock"
    return f"redis+socket://{path}"


REDIS_URL = env.text(
    "REDIS_URL",
    "Redis 7 or Valkey, for Celery alone",
    shown_default="an embedded Valkey in `var/`",
    example="redis://redis.example.org:6379/0",
)
if REDIS_URL:
    env.refuse_raw_password("REDIS_URL", REDIS_URL, ("redis+socket", "rediss", "redis"))

try:
    CELERY_BROKER_URL = broker_url.read(REDIS_URL or _embedded_broker()).kombu
except ValueError as error:
    raise Misconfigured(f"REDIS_URL cannot be used: {error}") from error
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives its broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # seconds; above twice the hard limit of any task, so that no running one comes again
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
WORKER_CONCURRENCY = env.integer(
    "WORKER_CONCURRENCY", "tasks a mail or payments worker performs at once", default=2, minimum=1
)
NODE_NAME = env.text(
    "NODE_NAME",
    "a process's name among its like, kept over restarts; set it where several of one type share a machine",
    default=socket.gethostname(),
    shown_default="the host's name",
    example="worker-2",
)
if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", NODE_NAME):
    raise Misconfigured(f"NODE_NAME={NODE_NAME!r}: expected letters, digits, dots and dashes.")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the lease brings the work back; rejecting loops on poison
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 60  # seconds
CELERY_TASK_SOFT_TIME_LIMIT = 45  # seconds
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # a message could stop workers, change their limits, have them hear nothing
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20  # seconds a task in hand may go on after SIGTERM
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_DEFAULT_QUEUE = "timers"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ROUTES = schedule.ROUTES
CELERY_TIMEZONE = "UTC"
CELERY_RESULT_EXPIRES = None  # nothing is kept, so beat's table needs no nightly clean-up
CELERY_BEAT_SCHEDULER = "workers.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # second
DJANGO_CELERY_BEAT_TZ_AWARE = True
BEAT_TABLE = schedule.TABLE

# -- mail -------------------------------------------------------------------------------------------------------------
EMAIL_PROVIDER = env.choice(
    "EMAIL_PROVIDER",
    "who sends mail; empty means SMTP when EMAIL_HOST is set, else files in `var/mail`",
    mail.CHOICES,
    default="",
)
EMAIL_HOST = env.host("EMAIL_HOST", "SMTP server", example="smtp.example.org")
EMAIL_PORT = env.integer("EMAIL_PORT", "its port", default=587, minimum=1)
EMAIL_SECURITY = env.choice(
    "EMAIL_SECURITY",
    "how the connection to it is encrypted; without encryption nobody logs in",
    ("none", "starttls", "tls"),
    default="tls" if EMAIL_PORT == 465 else "starttls",
    shown_default="tls on port 465, else starttls",
)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "SMTP user", example="bookings@example.org")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "SMTP password", example="secret")
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_TIMEOUT = mail.CONNECT_SECONDS
EMAIL_ANSWER_TIMEOUT = mail.ANSWER_SECONDS
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.sender(
    "FROM_EMAIL",
    "sender of every mail",
    default="MindSettler <bookings@localhost>",
    example="MindSettler <bookings@example.org>",
)
STAFF_INBOX = env.mailbox(
    "STAFF_INBOX",
    "the one address where staff read of new requests",
    default="staff@localhost",
    example="desk@example.org",
)
MANAGER_INBOX = env.mailbox(
    "MANAGER_INBOX",
    "the one address where managers read of overdue requests",
    default=STAFF_INBOX,
    shown_default="STAFF_INBOX",
    example="manager@example.org",
)
_of_mail = {
    "EMAIL_HOST": EMAIL_HOST,
    "EMAIL_HOST_USER": EMAIL_HOST_USER,
    "EMAIL_HOST_PASSWORD": EMAIL_HOST_PASSWORD,
    "EMAIL_API_KEY": env.text("EMAIL_API_KEY", "key of an EMAIL_PROVIDER that is asked over HTTP", example="secret"),
    "EMAIL_API_SECRET": env.text("EMAIL_API_SECRET", "its second key: mailjet, amazon_ses", example="secret"),
    "EMAIL_API_REGION": env.text("EMAIL_API_REGION", "its region: amazon_ses", example="ap-south-1"),
    "EMAIL_API_URL": env.url(
        "EMAIL_API_URL", "where its API is, if elsewhere", example="https://api.eu.mailgun.net/v3"
    ),
    "EMAIL_WEBHOOK_SECRET": env.text(
        "EMAIL_WEBHOOK_SECRET",
        "by which reports of EMAIL_PROVIDER at `/api/hooks/mail/<provider>/` are known: the key of their signature, or the"
        " password in the address given to amazon_ses, brevo, mailjet, postmark, `https://mail:SECRET@…`; empty: none are"
        " taken",
        example="`openssl rand -hex 24`",
    ),
}
EMAIL_WEBHOOK_SECRET = _of_mail["EMAIL_WEBHOOK_SECRET"]
DKIM_SELECTOR = env.text(
    "DKIM_SELECTOR",
    "under which the key of FROM_EMAIL's domain stands in DNS, `SELECTOR._domainkey.DOMAIN`; `ops_doctor` then looks for it",
    example="s1",
)
if DKIM_SELECTOR and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", DKIM_SELECTOR):
    raise Misconfigured("DKIM_SELECTOR is no name in DNS; one looks like s1.")
_sends = EMAIL_PROVIDER or ("smtp" if EMAIL_HOST else "file")
mail.refuse_incomplete(_sends, _of_mail)
mail.refuse_clear_password(EMAIL_SECURITY, _of_mail)
mail.refuse_unfit_webhook_secret(_sends, EMAIL_WEBHOOK_SECRET)
EMAIL_BACKEND = mail.backend(_sends)
ANYMAIL = mail.anymail(_sends, _of_mail)

# -- payments ---------------------------------------------------------------------------------------------------------
ALLOW_SANDBOX_PAYMENTS = env.flag(
    "ALLOW_SANDBOX_PAYMENTS",
    "allow with DEBUG off what moves no real money: the sandbox gateway, and a real one's test keys",
)
PAYMENT_GATEWAY = env.choice(
    "PAYMENT_GATEWAY",
    "who takes online payments; `none` refuses them, empty as well, and `ops_doctor` asks whether that is meant",
    ("", "none", "sandbox", "razorpay", "stripe"),
    default="sandbox" if DEBUG else "",
    shown_default="empty; sandbox with DEBUG",
)
IS_WITHOUT_GATEWAY = PAYMENT_GATEWAY == "none"  # on purpose
PAYMENT_GATEWAY = "" if IS_WITHOUT_GATEWAY else PAYMENT_GATEWAY
if PAYMENT_GATEWAY == "sandbox" and not (DEBUG or ALLOW_SANDBOX_PAYMENTS):
    raise Misconfigured(
        "PAYMENT_GATEWAY=sandbox moves no real money and is refused with DEBUG off, unless ALLOW_SANDBOX_PAYMENTS=1."
    )
PAYMENT_NAME = env.text(
    "PAYMENT_NAME",
    "all that a gateway and its pages learn of us beside a booking's id; must not say what the practice is for",
    default="Booking",
)
UPI_ID = env.text(
    "UPI_ID", "the practice's UPI address, such as practice@bank: offered for what is paid at the practice", default=""
)
if UPI_ID and not re.fullmatch(r"[A-Za-z0-9._-]{2,256}@[A-Za-z][A-Za-z0-9]{1,63}", UPI_ID):
    raise Misconfigured("UPI_ID is no UPI address; one looks like practice@bank.")
SANDBOX_URL = env.url("SANDBOX_URL", "where the sandbox gateway listens", default="http://127.0.0.1:8001")
SANDBOX_SECRET = env.text(
    "SANDBOX_SECRET",
    "key that signs the sandbox gateway's webhooks",
    default="sandbox-webhook-secret" if DEBUG else "",
    shown_default="",
    example="secret",
)
if PAYMENT_GATEWAY == "sandbox" and not SANDBOX_SECRET:
    raise Misconfigured("SANDBOX_SECRET is not set; with DEBUG off the sandbox gateway needs a key of its own.")
RAZORPAY_URL = env.url("RAZORPAY_URL", "where Razorpay's API is", default="https://api.razorpay.com")
RAZORPAY_KEY_ID = env.text(
    "RAZORPAY_KEY_ID", "its key id; whoever has one configured is served, chosen or not", example="rzp_live_…"
)
RAZORPAY_KEY_SECRET = env.text("RAZORPAY_KEY_SECRET", "the key's secret", example="secret")
RAZORPAY_WEBHOOK_SECRET = env.text(
    "RAZORPAY_WEBHOOK_SECRET", "the secret of its webhook, which you choose", example="`openssl rand -hex 24`"
)
RAZORPAY_WEBHOOK_SECRET_PREVIOUS = env.text(
    "RAZORPAY_WEBHOOK_SECRET_PREVIOUS",
    "the one before, which counts too: for a day at least after a change",
    example="secret",
)
RAZORPAY_ACCOUNT_ID = env.text(
    "RAZORPAY_ACCOUNT_ID",
    "our account there; events of another one are kept in quarantine; empty: not asked",
    example="acc_…",
)
STRIPE_URL = env.url("STRIPE_URL", "where Stripe's API is", default="https://api.stripe.com")
STRIPE_SECRET_KEY = env.text(
    "STRIPE_SECRET_KEY",
    "its secret key, or a restricted one; whoever has one configured is served, chosen or not",
    example="sk_live_…",
)
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", "the secret of its webhook's endpoint", example="whsec_…")
STRIPE_WEBHOOK_SECRET_PREVIOUS = env.text(
    "STRIPE_WEBHOOK_SECRET_PREVIOUS",
    "the one before, which counts too: until Stripe signs with the new one alone",
    example="whsec_…",
)
_of_gateways = {
    "RAZORPAY_URL": RAZORPAY_URL,
    "RAZORPAY_KEY_ID": RAZORPAY_KEY_ID,
    "RAZORPAY_KEY_SECRET": RAZORPAY_KEY_SECRET,
    "RAZORPAY_WEBHOOK_SECRET": RAZORPAY_WEBHOOK_SECRET,
    "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": RAZORPAY_WEBHOOK_SECRET_PREVIOUS,
    "RAZORPAY_ACCOUNT_ID": RAZORPAY_ACCOUNT_ID,
    "STRIPE_URL": STRIPE_URL,
    "STRIPE_SECRET_KEY": STRIPE_SECRET_KEY,
    "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET,
    "STRIPE_WEBHOOK_SECRET_PREVIOUS": STRIPE_WEBHOOK_SECRET_PREVIOUS,
}
payments.refuse_unfit(_of_gateways, chosen=PAYMENT_GATEWAY)
if not (DEBUG or ALLOW_SANDBOX_PAYMENTS):
    payments.refuse_unreal(_of_gateways)

# -- rooms ------------------------------------------------------------------------------------------------------------
ROOMS = env.choice(
    "ROOMS",
    "where online sessions meet: at the psychologist's link, which all of their clients share, or in a room of each session's own",
    rooms.CHOICES,
    default="static",
)
JITSI_URL = env.url(
    "JITSI_URL", "the Jitsi server; hosted by 8x8: `https://8x8.vc`", example="https://meet.example.org"
)
JITSI_APP_ID = env.text("JITSI_APP_ID", "what that server knows us by: its `app_id`", example="mindsettler")
JITSI_SECRET = env.text(
    "JITSI_SECRET",
    "its `app_secret`, which signs who may enter; hosted by 8x8: the private key, `base64 -w0 key.pem`",
    example="`openssl rand -hex 32`",
)
JITSI_KEY_ID = env.text(
    "JITSI_KEY_ID", "hosted by 8x8: the id of that key; empty: an own server", example="vpaas-magic-cookie-…/4f4910"
)
rooms.refuse_unfit(
    {
        "JITSI_URL": JITSI_URL,
        "JITSI_APP_ID": JITSI_APP_ID,
        "JITSI_SECRET": JITSI_SECRET,
        "JITSI_KEY_ID": JITSI_KEY_ID,
    },
    chosen=ROOMS,
    is_real=not DEBUG,
)

# -- receipts ---------------------------------------------------------------------------------------------------------
PRACTICE_LEGAL_NAME = env.text(
    "PRACTICE_LEGAL_NAME", "the name receipts are made out by", default=PRACTICE_NAME, shown_default="PRACTICE_NAME"
)
PRACTICE_ADDRESS = env.text(
    "PRACTICE_ADDRESS",
    "its address on receipts, lines separated by `;`",
    example="2nd floor, 12 Baner Road; Pune 411045; Maharashtra",
)
TAX_MODE = env.choice(
    "TAX_MODE",
    "what receipts are: bills of supply without tax, or tax invoices of a practice that is registered for GST",
    ("exempt", "registered"),
    default="exempt",
)
PRACTICE_GSTIN = env.text("PRACTICE_GSTIN", "its GST number; printed on receipts", example="27AAPFU0939F1ZV")
TAX_SAC = env.text("TAX_SAC", "the services' code on receipts, 9993 and two digits", default="999319")
TAX_PERCENT = env.integer("TAX_PERCENT", "the tax that prices include, with TAX_MODE=registered", default=18)
if PRACTICE_GSTIN and not gst.is_gstin(PRACTICE_GSTIN):
    raise Misconfigured(f"PRACTICE_GSTIN={PRACTICE_GSTIN!r}: not a GST number; its last character is a check digit.")
if TAX_MODE == "registered" and not (PRACTICE_GSTIN and PRACTICE_ADDRESS):
    raise Misconfigured("TAX_MODE=registered needs PRACTICE_GSTIN and PRACTICE_ADDRESS: the law asks for both.")
if not re.fullmatch(r"9993\d\d", TAX_SAC):
    raise Misconfigured(f"TAX_SAC={TAX_SAC!r}: expected a code of health and care, 9993 and two digits.")
if TAX_PERCENT > 28:
    raise Misconfigured(f"TAX_PERCENT={TAX_PERCENT}: expected 28 or less.")
for _name, _value, _longest in (
    ("PRACTICE_LEGAL_NAME", PRACTICE_LEGAL_NAME, 200),
    ("PRACTICE_ADDRESS", PRACTICE_ADDRESS, 500),
):
    if len(_value) > _longest:
        raise Misconfigured(f"{_name} is longer than {_longest} characters.")

# -- the API ----------------------------------------------------------------------------------------------------------
_site_origin = "/".join(FRONTEND_URL.split("/")[:3]).lower()  # without the path a site may have
CORS_ALLOWED_ORIGINS = env.listing(
    "CORS_ORIGINS",
    "origins whose scripts may call the API",
    default=",".join([_site_origin, "http://localhost:3000"] if DEBUG and not HAS_OTHER_SITE else [_site_origin]),
    example="https://www.example.org",
    shown_default="FRONTEND_URL; with DEBUG and without a site also http://localhost:3000",
    each=r"https?://[a-z0-9.:\[\]-]+",  # as browsers send it; anything else never matches
    expected="an origin such as https://www.example.org, no path",
)
CORS_ALLOW_METHODS = ["GET", "POST", "OPTIONS"]
CORS_ALLOW_HEADERS = ["content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["Retry-After", "ETag", "X-Correlation-ID"]
SUPPORT_LINES = env.listing(
    "SUPPORT_LINES",
    "help lines shown in mails and refusals, `name=number`",
    default="Emergency=112,Tele-MANAS=14416",
    each=r"[^=\s][^=]*=\+?[0-9][0-9 ()/-]*",
    expected="a name and a number such as Emergency=112",
)
MAX_BODY_BYTES = 128 * 1024  # the largest honest request is an enquiry of 10,000 characters, as text and as HTML
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["backend.api.parsing.JsonBody"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "backend.api.parsing.JsonOnlyNegotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "backend.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105  # a model; migrations that refer to it ask for its name
REST_KNOX = {"TOKEN_TTL": timedelta(hours=12)}  # staff log in once a working day
SPECTACULAR_SETTINGS = {
    "TITLE": "MindSettler",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Requests for counselling sessions, from the first click to the completed session.",
    "OAS_VERSION": "3.1.0",  # its schemas are JSON Schema, so that a test can hold answers against them
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": [],  # the default gives every set of choices a name of its own, and warns of each clash
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # its default asks validator.swagger.io
}
METRICS_TOKEN = env.text(
    "METRICS_TOKEN",
    "bearer token that reads /metrics; empty admits this machine alone",
    example="`openssl rand -hex 32`",
)
# a load balancer, and a scraper on the machine itself, ask these without https
SECURE_REDIRECT_EXEMPT = [r"^$", r"^api/$", r"^api/(health|ping)/$", r"^(livez|readyz|metrics)/?$"]

# -- people who log in ------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "backend.api.logins.LoginLimits",  # first: it refuses before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "backend.accounts.menu.MenuPermissions",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [  # length and what others take, too; never a rule of characters: NIST SP 800-63B-4, 3.1.1.2
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "backend.accounts.common_passwords.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # the theme's login page forgets to say where to go on
SESSION_ENGINE = "backend.accounts.sessions"
LOGIN_IDLE = env.duration("LOGIN_IDLE", "a log-in that nobody uses ends after this", default="15m", may_be_zero=False)
LOGIN_LONGEST = env.duration(
    "LOGIN_LONGEST",
    "a log-in ends after this, used or not",
    default="8h",
    may_be_zero=False,
)
LOGIN_FRESH = env.duration(
    "LOGIN_FRESH",
    "so long after password and second factor were proved, exports, accounts and roles do not ask for them again",
    default="10m",
    may_be_zero=False,
)
ENROLMENT_LINK_LIFETIME = env.duration(
    "ENROLMENT_LINK_LIFETIME",
    "how long a one-time link that sets up an account works",
    default="72h",
    may_be_zero=False,
)
SESSION_COOKIE_AGE = int(LOGIN_LONGEST.total_seconds())
OTP_WEBAUTHN_RP_ID = urlsplit(PUBLIC_URL).hostname or ""  # passkeys belong to this name; another one needs new passkeys
OTP_WEBAUTHN_RP_NAME = PRACTICE_NAME
OTP_WEBAUTHN_ALLOWED_ORIGINS = ["/".join(PUBLIC_URL.split("/")[:3]).lower()]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
PASSKEYS_OFFERED = PUBLIC_URL.startswith("https://") or OTP_WEBAUTHN_RP_ID == "localhost"
# its library refuses other origins as insecure; browsers have no passkeys there, and no page offers them
SILENCED_SYSTEM_CHECKS = [] if PASSKEYS_OFFERED else ["otp_webauthn.E031"]

# -- transport security -----------------------------------------------------------------------------------------------
_https = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = _https and TRUSTED_PROXIES > 0
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # a mail's link to a booking opens it for who is logged in
if _https:  # a browser takes the prefix from this host alone, for all of it, and over https
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # they name bookings: none in a cookie
SECURE_REFERRER_POLICY = "same-origin"  # with "no-referrer" a browser sends Origin: null, which CSRF refuses
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_COOKIE_AGE = None  # seconds; it goes with the browser: a visitor's machine keeps no trace of us for a year
CSRF_FAILURE_VIEW = "backend.api.visit.page.csrf_failure"

# -- language, time, files --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = PRACTICE_TIME_ZONE  # what staff see in the admin; instants are stored in UTC
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns of a missing folder, and a test fails on a warning
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG  # in place when asked for, never all of them at the start
JAZZMIN_SETTINGS = {
    "site_title": PRACTICE_NAME,
    "site_header": PRACTICE_NAME,
    "site_brand": PRACTICE_NAME,
    "welcome_sign": f"{PRACTICE_NAME} desk",
    "copyright": PRACTICE_NAME,
    "use_google_fonts_cdn": False,
    "show_ui_builder": False,
    "hide_apps": ["django_celery_beat"],  # from the menu; "All pages" has them
    "hide_models": ["bookings.slotclaim", "auth.user"],
    "custom_css": "desk/frame.css",
    "custom_js": "desk/frame.js",
    "usermenu_links": [
        {"name": "Your sign-in", "url": "desk:account"},
        {"name": "Tokens for programs", "url": "desk:tokens"},
        {"name": "Colleagues", "url": "desk:colleagues", "permissions": ["desk.is_owner"]},  # nobody else has it
    ],
    "topmenu_links": [
        {"name": "Today", "url": "admin:index"},
        {"name": "Calendar", "url": "desk:calendar", "permissions": ["desk.see_some_bookings"]},
        {"name": "Bookings", "url": "admin:bookings_booking_changelist", "permissions": ["desk.see_some_bookings"]},
        {"name": "New booking", "url": "admin:bookings_booking_new", "permissions": ["bookings.change_booking"]},
        {"name": "Numbers", "url": "desk:numbers", "permissions": ["payments.view_payment"]},
        {"name": "Accounts", "url": "desk:accounts", "permissions": ["payments.view_payment"]},
        {"name": "All pages", "url": "desk:all"},
    ],
    "icons": {
        "bookings.booking": "fas fa-calendar-check",
        "people.client": "fas fa-user",
        "people.psychologist": "fas fa-user-md",
        "people.location": "fas fa-map-marker-alt",
        "people.corporate": "fas fa-building",
        "outbox.message": "fas fa-envelope",
        "payments.payment": "fas fa-rupee-sign",
        "ops.timerrun": "fas fa-history",
        "ops.act": "fas fa-hand-pointer",
        "ops.process": "fas fa-heartbeat",
    },
    "custom_links": {
        "bookings": [
            {
                "name": "Calendar",
                "url": "desk:calendar",
                "icon": "fas fa-calendar-alt",
                "permissions": ["desk.see_some_bookings"],
            },
            {
                "name": "Day list",
                "url": "desk:day",
                "icon": "fas fa-print",
                "permissions": ["desk.see_some_bookings"],
            },
        ],
        "auth": [
            {
                "name": "Colleagues",
                "url": "desk:colleagues",
                "icon": "fas fa-users",
                "permissions": ["desk.is_owner"],
            },
        ],
        "ops": [
            {
                "name": "Overview",
                "url": "admin:ops_overview",
                "icon": "fas fa-tachometer-alt",
                "permissions": ["ops.add_act"],
            },
            {
                "name": "Schedules",
                "url": "admin:ops_schedules",
                "icon": "fas fa-stopwatch",
                "permissions": ["ops.add_act"],
            },
            {
                "name": "Dead letters",
                "url": "admin:ops_dead_letters",
                "icon": "fas fa-skull-crossbones",
                "permissions": ["ops.add_act"],
            },
        ],
    },
}

# -- watched from outside ---------------------------------------------------------------------------------------------
SENTRY_DSN = env.url(
    "SENTRY_DSN",
    "where errors are reported, without whom they met; empty: nowhere",
    example="https://key@sentry.example.org/1",
)
PING_URL = env.url(
    "PING_URL",
    "a watchdog that is told of each timer's runs at `PING_URL/lapse_drafts`, healthchecks' way; empty: none",
    example="https://hc-ping.com/key",
)
FLOWER_BASIC_AUTH = env.listing(
    "FLOWER_BASIC_AUTH",
    "who may look into Celery with the process type `flower`, `name:password`",
    example="ops:secret",
    each=r"[^:\s]+:\S+",
    expected="a name and a password such as ops:secret",
    is_secret=True,
)
FLOWER_ADDRESS = env.host("FLOWER_ADDRESS", "the address on which `flower` listens", default="127.0.0.1")
FLOWER_PORT = env.integer("FLOWER_PORT", "and its port", default=5555, minimum=1)
PING_EVERY = env.duration("PING_EVERY", "the watchdog hears of a timer's good runs at most this often", default="60s")

# -- logs -------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "once": {"()": "backend.api.log_filters.OncePerRefusal"},
        "error_of_task": {"()": "backend.core.logs.ErrorOfTask"},
    },
    "formatters": {"line": {"()": "backend.core.logs.formatter", "as_json": not DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": []},  # its own handler would write every line twice with DEBUG on
        "django.request": {"level": "ERROR", "filters": ["once"]},  # the API logs its refusals once, with their code
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # scanners; not worth a traceback
        "celery.beat": {"level": "WARNING"},  # a line per wake-up would be 15 a second
        "celery.app.trace": {"level": "WARNING", "filters": ["error_of_task"]},
        "celery.worker.strategy": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},  # it says which letters of a name it keeps
    },
}
