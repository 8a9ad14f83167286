"""What is promised with a number of seconds, done to real processes and measured."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import redis
import requests
from django.utils import timezone

from backend.bookings.machine import State
from backend.ops import broker
from tests.alerts import promtool, rules
from tests.alerts.service import Service
from tests.chaos.figures import Figure, at_most, none_of
from tests.support import api
from tests.support.clients import forwarded_for
from tests.support.factories import make_booking

SEEN_WITHIN = 45.0  # seconds until beat's end is seen
STALE_WITHIN = 60.0  # seconds until it is seen that a queue stands still
# what depends on the machine is held against something of the same minute
READY_TO_WELL = 10.0  # /readyz while Redis is frozen, less the wait that it grants, to one while it is well
FROZEN_TO_WELL = 1.5  # a booking while Redis is frozen, to one while it is well
STARTING_TO_WELL = 5.0  # the same while five processes start on two cores, for some seconds
WORST_TO_WELL = 10.0  # and the worst: who waited for Redis would take seconds
SCRAPE_TO_STATUS = 4.0  # a scrape, to a look for one booking
LONG = 100_000  # messages
TIMES = 40
LIMIT = 120.0  # seconds; then it is not seen at all


def beat(service: Service) -> list[Figure]:
    """Killed, then frozen."""
    service.send(["beat"], signal.SIGKILL)
    figures = _noticed(service, "beat killed", "beat", "BeatSilent", SEEN_WITHIN)
    service.restart("beat")
    service.until_well()
    service.send(["beat"], signal.SIGSTOP)
    figures += _noticed(service, "beat frozen", "beat", "BeatSilent", SEEN_WITHIN)
    service.send(["beat"], signal.SIGCONT)
    service.until_well()
    return figures


def canary(service: Service) -> list[Figure]:
    """All workers of a queue frozen."""
    mail = [name for name in service.workers() if name.startswith("worker-mail")]
    service.send(mail, signal.SIGSTOP)
    name = f"all {len(mail)} mail workers frozen"
    figures = _noticed(service, name, "canary-mail", "CanaryStale mail", STALE_WITHIN)
    service.send(mail, signal.SIGCONT)
    service.until_well()
    return figures


def _noticed(service: Service, name: str, component: str, alert: str, limit: float) -> list[Figure]:
    begun = time.monotonic()
    seen: dict[str, float] = {}
    looks = {"strict readiness": lambda: component in service.strict(), "alert": lambda: alert in service.alerts()}
    while len(seen) < len(looks) and time.monotonic() - begun < LIMIT:
        for where, look in looks.items():
            if where not in seen and look():
                seen[where] = time.monotonic() - begun
        time.sleep(0.1)
    return [at_most(f"{name}: {where}", round(seen.get(where, LIMIT), 1), limit, "s") for where in looks]


def redis_frozen(service: Service) -> list[Figure]:
    """Readiness and bookings, with a broker that takes connections and answers nothing."""
    _milliseconds(lambda: _book(service, "warm"), 5)
    well = median(_milliseconds(lambda: _book(service, "well"), TIMES))
    well_ready = median(_milliseconds(lambda: _ready(service), TIMES))
    with _stopped(service, "broker"):
        booked = _milliseconds(lambda: _book(service, "frozen"), TIMES)
        ready = _milliseconds(lambda: _ready(service), TIMES)
        beside = _milliseconds(lambda: _book(service, "beside"), TIMES)  # a worker each starts its stand-in by now
        named = [] if "broker" in service.strict() else ["strict readiness does not name the broker"]
    service.until_well()
    waited = round(max(0, median(ready) - 1000 * broker.ANSWER_WITHIN) / well_ready, 2)
    return [
        at_most("Redis frozen: median /readyz without its wait, to Redis well", waited, READY_TO_WELL, "×"),
        Figure(f"Redis frozen: worst of {TIMES} /readyz", f"{max(ready):g} ms"),
        at_most("Redis frozen: median booking, to Redis well", round(median(booked) / well, 2), FROZEN_TO_WELL, "×"),
        at_most(f"Redis frozen: worst of {TIMES} bookings, to that", round(max(booked) / well, 1), WORST_TO_WELL, "×"),
        Figure("Redis frozen: median booking", f"{median(booked):g} ms"),
        at_most("… while stand-ins start, to Redis well", round(median(beside) / well, 2), STARTING_TO_WELL, "×"),
        none_of("Redis frozen: strict readiness accepts", named),
    ]


@contextmanager
def _stopped(service: Service, name: str) -> Iterator[None]:
    service.send([name], signal.SIGSTOP)
    try:
        yield
    finally:
        service.send([name], signal.SIGCONT)


def _ready(service: Service) -> None:
    answer = requests.get(f"{service.url}/readyz", timeout=5)
    assert answer.status_code == 200, answer.text


def _book(service: Service, name: str) -> None:
    address = f"{name}-{time.monotonic_ns()}@example.org"
    form, headers = api.form(timezone.now(), email=address), {"Origin": api.site(), **forwarded_for(address)}
    answer = requests.post(f"{service.url}{api.DRAFT}", json=form, headers=headers, timeout=5)
    assert answer.status_code == 201, answer.text


def _milliseconds(call: Callable[[], object], times: int) -> list[float]:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        took.append(round((time.perf_counter() - begun) * 1000, 1))
    return took


def scrape(service: Service) -> list[Figure]:
    """With 100,000 wake-ups waiting; and what a real scrape tells is held against the rules."""
    names = [*service.workers(), "beat"]
    client = redis.Redis(unix_socket_path=str(service.folder / "valkey.sock"))
    service.stop(*service.workers())
    service.until(lambda: client.llen("mail"), "a wake-up")
    service.stop("beat")
    [element] = client.lrange("mail", -1, -1)
    for _ in range(LONG // 10_000):
        client.lpush("mail", *[element] * 10_000)
    session = requests.Session()
    _milliseconds(lambda: session.get(f"{service.url}/metrics", timeout=10), 10)
    took = _milliseconds(lambda: session.get(f"{service.url}/metrics", timeout=10), TIMES)
    look = f"{service.url}{api.STATUS}?acknowledgement_id={make_booking(State.PENDING, now=timezone.now())}"
    looked = _milliseconds(lambda: session.get(look, timeout=10).raise_for_status(), TIMES)
    text = service.metrics()
    counted = [line for line in text.splitlines() if line.startswith("mindsettler_celery_messages")]
    waiting = next(float(line.split()[-1]) for line in counted if '"mail"' in line and '"ready"' in line)
    client.delete("mail")
    for name in names:
        service.start(name, "worker-mail" if "mail" in name else "", **_node(name))
    checked = promtool.run("check", "metrics", given=text.encode()).stdout.decode().splitlines()
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    named = {name for rule in rules.by_name(rules.load()).values() for name, _ in rules.SELECTOR.findall(rule["expr"])}
    return [
        Figure("messages waiting at the scrape", f"{waiting:.0f}", f"≥ {LONG}", waiting >= LONG),
        at_most("a scrape to a look for one booking", round(median(took) / median(looked), 2), SCRAPE_TO_STATUS, "×"),
        Figure(f"median of {TIMES} scrapes", f"{median(took):g} ms"),
        Figure("worst of them", f"{max(took):g} ms"),
        none_of("promtool check metrics complains", checked),
        none_of(
            f"of {len(families)} metrics in a real scrape, named by an alert and missing", sorted(named - families)
        ),
    ]


def _node(name: str) -> dict[str, str]:
    return {"NODE_NAME": name[-1]} if "mail" in name else {}
