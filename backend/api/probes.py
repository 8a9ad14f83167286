"""Whether this instance lives, whether it may be given requests, and its figures for Prometheus."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from dataclasses import asdict

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backend.ops import readiness, snapshot
from backend.ops.readiness import Status

log = logging.getLogger(__name__)


@require_safe
@never_cache
def livez(_request: HttpRequest) -> HttpResponse:
    """The process answers. No I/O: a restart would mend neither the database nor the broker."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 while bookings can be taken; `?strict=1` answers 503 to any degradation, for those who watch."""
    found = readiness.check_readiness(now=timezone.now())
    is_strict = request.GET.get("strict", "") not in ("", "0")
    refuses = found.status is Status.UNAVAILABLE or (is_strict and found.status is Status.DEGRADED)
    if refuses:
        log.warning("not ready: %s", ", ".join(found.unavailable + found.degraded))
    return JsonResponse(asdict(found), status=503 if refuses else 200)


@require_safe
@never_cache
def prometheus_metrics(request: HttpRequest) -> HttpResponse:
    """The snapshot of this moment in Prometheus' text format: the same from every web process."""
    if not _may_read(request):
        way = (
            "Give METRICS_TOKEN as"
            if settings.METRICS_TOKEN
            else "Ask from this machine, or set METRICS_TOKEN and give it as"
        )
        return HttpResponse(f"{way} bearer token.\n", status=403)
    from backend.ops import metrics  # Prometheus' library, for who scrapes

    return HttpResponse(
        metrics.exposition(snapshot.take_snapshot(now=timezone.now())), content_type=metrics.CONTENT_TYPE
    )


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False  # a proxy on this machine asks for somebody else
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
