"""A compiled query answers as its queryset would at that instant, in every thread, and is compiled once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext

from backend.bookings import policy
from backend.core.compiled_queries import Ago, Given, any_rows, compiled, run_queries
from backend.core.statements import Row
from backend.ops.models import Process, ProcessRole

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, 0, 250, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
built: list[int] = []


@compiled
def by_role() -> QuerySet[Process, Any]:
    built.append(1)
    seen = Q(seen_at__lte=Ago(lambda: MINUTE))
    rows = Process.objects.filter(seen_at__gt=Ago(lambda: 60 * MINUTE)).order_by("role").values_list("role")
    return rows.annotate(count=Count("pk", filter=seen), oldest=Min("seen_at", filter=seen), last=Min("name"))


def at(now: datetime) -> list[Row]:
    return run_queries(by_role, now=now)[0]


def as_queryset(now: datetime) -> list[Row]:
    seen = Q(seen_at__lte=now - MINUTE)
    rows = Process.objects.filter(seen_at__gt=now - 60 * MINUTE).order_by("role").values_list("role")
    return list(rows.annotate(count=Count("pk", filter=seen), oldest=Min("seen_at", filter=seen), last=Min("name")))


def test_it_answers_as_the_queryset_at_every_instant() -> None:
    for minute in range(-5, 70, 5):
        role = ProcessRole.BEAT if minute % 2 else ProcessRole.MAIL
        Process.objects.create(name=f"p{minute}", role=role, seen_at=NOW - minute * MINUTE)
    assert len(at(NOW)) == 2
    for minute in (-100, -10, 0, 1, 30, 59, 60, 200):
        now = NOW + minute * MINUTE
        assert at(now) == as_queryset(now)
    assert len(built) == 1


@compiled
def around() -> QuerySet[Process]:
    now = Ago()
    rows = Process.objects.filter(seen_at__gt=now - MINUTE - MINUTE, seen_at__lte=now + MINUTE)
    return rows.annotate(is_beat=Q(role=ProcessRole.BEAT), letters=Length("name")).order_by("name")


def test_spans_are_added_as_to_an_instant_and_rows_have_what_they_are_annotated_with() -> None:
    for name, minutes in (("two", -2), ("one", -1), ("now", 0), ("soon", 1), ("later", 2)):
        role = ProcessRole.BEAT if minutes == 0 else ProcessRole.MAIL
        Process.objects.create(name=name, role=role, seen_at=NOW + minutes * MINUTE)
    found = [(row.name, row.is_beat, row.letters) for row in around.rows(now=NOW)]
    assert found == [("now", True, 3), ("one", False, 3), ("soon", False, 4)]


@compiled
def by_policy() -> QuerySet[Process, Any]:
    return Process.objects.filter(seen_at__lte=Ago(lambda: policy.CANCEL_LINK_LIFETIME)).values_list("name")


@compiled
def nobody() -> QuerySet[Process, Any]:
    return Process.objects.filter(role="nobody", seen_at__lte=Ago()).values_list("name")


def test_many_are_asked_at_once_and_each_gets_its_rows() -> None:
    Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    rows = as_queryset(NOW + MINUTE)
    with CaptureQueriesContext(connection) as captured:
        assert run_queries(by_role, nobody, by_role, now=NOW + MINUTE) == [rows, [], rows]
    assert len(captured) == (1 if connection.vendor == "postgresql" else 3)


def test_many_are_asked_at_once_whether_they_find_anything() -> None:
    Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    with CaptureQueriesContext(connection) as captured:
        assert any_rows(by_role, nobody, by_role, now=NOW + MINUTE) == [True, False, True]
    assert len(captured) == 1


def test_a_span_may_change_between_two_looks(monkeypatch) -> None:
    Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    monkeypatch.setattr(policy, "CANCEL_LINK_LIFETIME", MINUTE)
    assert run_queries(by_policy, now=NOW + 2 * MINUTE) == [[("beat",)]]
    monkeypatch.setattr(policy, "CANCEL_LINK_LIFETIME", 3 * MINUTE)
    assert run_queries(by_policy, now=NOW + 2 * MINUTE) == [[]]


def test_values_bound_by_the_server_take_one_statement_each(monkeypatch) -> None:
    Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"server_side_binding": True})
    with CaptureQueriesContext(connection) as captured:
        assert run_queries(nobody, by_role, now=NOW + MINUTE) == [[], at(NOW + MINUTE)]
    assert len(captured) == 3


@pytest.mark.django_db(transaction=True)
def test_another_thread_asks_over_its_own_connection() -> None:
    Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    found: list[list[Row]] = [at(NOW + MINUTE)]

    def look() -> None:
        found.append(at(NOW + MINUTE))
        connection.close()

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert found == [[("beat", 1, NOW, "beat")]] * 2


@compiled
def of_name() -> QuerySet[Process]:
    return Process.objects.filter(name=Given("name"), seen_at__gte=Given("since")).defer("role")


def test_rows_of_a_model_are_its_instances_with_what_the_queryset_leaves_out() -> None:
    kept = Process.objects.create(name="beat", role=ProcessRole.BEAT, seen_at=NOW)
    found = of_name.rows(name="beat", since=NOW)
    assert found == [kept]
    assert found[0].get_deferred_fields() == {"role"}
    assert found[0].role == ProcessRole.BEAT
    assert of_name.first(name="beat", since=NOW + MINUTE) is None
    assert of_name.first(name="b'; --", since=NOW) is None


def test_what_was_not_given_is_an_error() -> None:
    with pytest.raises(KeyError):
        of_name.rows(name="beat")
