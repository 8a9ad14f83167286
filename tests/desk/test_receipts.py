"""Receipts at the desk: who takes money opens them, and it is recorded."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.audit.models import AccessRecord
from backend.audit.shown import parse
from backend.payments import receipt_files
from backend.payments.models import Receipt
from tests.support import admin_site, roles, scenarios
from tests.support.admin_site import page_url

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
PDF = b"%PDF-1.7 of this test"


def test_the_booking_leads_to_its_receipt_and_the_opening_is_recorded(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    receipt = Receipt.objects.get()
    url = reverse("admin:bookings_booking_receipt", args=[booking.pk, receipt.pk])
    assert f'<a href="{url}">MS/26-27/000001</a>' in desk.get(page_url(booking)).content.decode()
    assert "being made" in desk.get(url, follow=True).content.decode()
    receipt_files.keep(receipt, PDF, now=now)
    answer = desk.get(url)
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert "no-store" in answer["Cache-Control"]
    assert parse(AccessRecord.objects.latest("pk").shown) == {"booking.receipt": {booking.pk}}
    other = scenarios.confirmed("leela@example.org", now=now, who=scenarios.psychologist("Dr. B"))
    strange = reverse("admin:bookings_booking_receipt", args=[other.pk, receipt.pk])
    assert desk.get(strange).status_code == 404


def test_a_psychologist_reads_the_number_alone(now: datetime) -> None:
    who = scenarios.psychologist()
    browser = admin_site.logged_in(roles.account("Psychologist", who=who))
    booking = scenarios.confirmed(now=now, who=who)
    url = reverse("admin:bookings_booking_receipt", args=[booking.pk, Receipt.objects.get().pk])
    page = browser.get(page_url(booking)).content.decode()
    assert "MS/26-27/000001" in page
    assert url not in page
    assert browser.get(url).status_code == 404
