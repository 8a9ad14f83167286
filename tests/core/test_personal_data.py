"""Each column of ours says what it is to the person behind it, and whatever spares or shows people reads that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from backend.api import responses
from backend.api.staff import responses as staff_answers
from backend.bookings import queries, retention
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle import timers
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.retention import RULES, Kind
from backend.core import personal_data
from backend.core.encryption import EncryptedTextField
from backend.core.personal_data import ABOUT_PEOPLE, Sensitivity, classify, declared, emptied, personal_columns
from backend.desk.booking.timeline import timeline
from backend.desk.list import export
from backend.outbox import messages
from backend.outbox.models import Message
from backend.people.models import Client, Enquiry
from tests.support import scenarios, sentinels, system_health
from tests.support.admin_site import clerk, list_url, page_url

OURS = [
    model
    for model in apps.get_models()
    if model.__module__.startswith(("backend.", "workers.")) and not hasattr(model, "instance_type")
]


@pytest.fixture(autouse=True)
def _clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def reclassified(model: type[models.Model], name: str, as_: Sensitivity, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the model's author had said something else of this column."""
    monkeypatch.setitem(declared(model), name, as_)


# -- the classification ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_column_is_classified(model: type[models.Model]) -> None:
    named = [field.name for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    assert declared(model).keys() == set(named)


def test_a_name_is_given_one_class() -> None:
    with pytest.raises(ValueError, match="email"):
        classify(personal="email full_name", internal="email")


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_what_is_about_people_can_be_emptied_and_what_is_sensitive_is_encrypted(model: type[models.Model]) -> None:
    for field in (model._meta.get_field(name) for name in personal_columns(model)):
        assert field.null or isinstance(field, models.BinaryField | models.CharField | models.TextField), field
    encrypted = {field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)}
    assert encrypted <= set(personal_columns(model))
    assert set(personal_columns(model, Sensitivity.SENSITIVE)) - encrypted <= {"phone_number"}  # which is searched


def test_a_history_is_of_the_class_of_what_it_tracks() -> None:
    assert personal_columns(Client.history.model) == personal_columns(Client)


# -- who reads it ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_column_that_is_called_personal_is_purged_without_another_edit(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reclassified(Booking, "guardian_consent_by", Sensitivity.PERSONAL, monkeypatch)
    reclassified(Booking, "consent_given_at", Sensitivity.PERSONAL, monkeypatch)
    draft = scenarios.submitted(now=now)
    Booking.objects.filter(pk=draft.pk).update(guardian_consent_by="staff:asha", consent_given_at=now)
    timers.lapse_draft(draft.pk, now=draft.due_at)
    timers.purge_draft(draft.pk, now=draft.due_at + RULES[Kind.DRAFTS].kept)
    purged = scenarios.again(draft)
    assert {name: getattr(purged, name) for name in personal_columns(Booking)} == emptied(Booking)
    assert (purged.guardian_consent_by, purged.consent_given_at) == ("", None)


@pytest.mark.django_db
def test_a_column_that_is_called_personal_is_taken_off_settled_messages(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reclassified(Message, "correlation_id", Sensitivity.PERSONAL, monkeypatch)
    row = system_health.dead_letter(now=now)
    Message.objects.filter(pk=row.pk).update(correlation_id="asha@example.org")
    assert messages.redact(retention.due(Kind.MAILS, now), now=now) == 1
    row.refresh_from_db()
    assert (row.correlation_id, row.recipient, row.context, row.last_error) == ("", "", None, "")


@pytest.mark.django_db
def test_the_timeline_tells_edits_of_what_is_about_people_alone(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    booking, user = scenarios.pending(now=now), User.objects.create_superuser("desk")
    client = scenarios.again(booking).client
    client.full_name, client.city, client._history_user = "A. Rao", "Nagpur", user
    client.save()

    def told() -> list[str]:
        return [one.details for one in timeline(scenarios.again(booking), user) if one.kind == "edit"]

    assert told() == ["full name, city"]
    reclassified(Client, "city", Sensitivity.INTERNAL, monkeypatch)
    assert told() == ["full name"]


@pytest.mark.django_db
def test_a_stranger_who_knows_an_id_is_told_nothing_of_a_column_about_people(now: datetime) -> None:
    pk = scenarios.confirmed(now=now).pk
    booking = Booking.objects.defer(*personal_columns(Booking)).get(pk=pk)
    unread = booking.get_deferred_fields()
    assert len(unread) == len(personal_columns(Booking))
    responses.status(queries.progress(booking), now=now)
    # a column that was read is deferred no longer; without an address nothing that needs a mail is offered
    assert booking.get_deferred_fields() == unread - {"email"}


@pytest.mark.django_db
def test_what_is_sensitive_reaches_nobody_on_the_row_who_may_not_see_it(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    secrets = {
        name: f"98{number:02}471147{number:02}"
        for number, name in enumerate(personal_columns(Booking, Sensitivity.SENSITIVE))
    }
    for name, secret in secrets.items():
        setattr(booking, name, secret)
    booking.save(update_fields=list(secrets))
    reader = clerk("reader", "view_booking")
    account = User.objects.get(username="reader")
    access = AccessPolicy(account)
    shown = [
        "".join(export.lines(Booking.objects.iterator(), access)),
        str(staff_answers.summary(booking, access)),
        str(staff_answers.detail(booking, access, now=now)),
        reader.get(page_url(booking)).content.decode(),
        reader.get(list_url(Booking)).content.decode(),
    ]
    everything = staff_answers.detail(booking, AccessPolicy(User.objects.create_superuser("owner")), now=now)
    assert [name for name, secret in secrets.items() if secret not in str(everything)] == []
    assert [name for name, secret in secrets.items() for text in shown if secret in text] == []


@pytest.mark.parametrize("model", [Booking, Client, Enquiry])
def test_the_search_for_leaks_plants_a_word_in_every_text_about_people(model: type[models.Model]) -> None:
    fields = [model._meta.get_field(name) for name in personal_columns(model)]
    texts = {field.name for field in fields if isinstance(field, models.CharField | models.TextField)}
    planted = texts - {"gender", "time_zone"}  # of a list of words, which stand everywhere
    assert planted <= sentinels.COLUMNS.keys()
    assert all(sentinels.found_in(sentinels.COLUMNS[name]) for name in planted)


def test_the_ledger_is_about_nobody() -> None:
    assert personal_columns(LedgerEntry) == []
    assert set(personal_data.MEANING) == set(Sensitivity) == {*ABOUT_PEOPLE, Sensitivity.INTERNAL}
