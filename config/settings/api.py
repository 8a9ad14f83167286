"""Who may call the API, with how much, and how it is described."""

from __future__ import annotations

from datetime import timedelta

from backend.core import environment as env
from config.settings.deployment import DEBUG, FRONTEND_URL, HAS_OTHER_SITE

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
    "DEFAULT_SCHEMA_CLASS": "backend.api.auto_schema.Described",
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
