"""What programs are answered that the life of one booking does not show: other doors, lists, acts and sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from backend.api.staff.records.kinds import RECORDS
from backend.bookings.machine import State
from backend.bookings.models import ClosedDay, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message, MessageState
from backend.payments import receipt_files
from backend.payments.models import Payment, Receipt, RefundState, SettlementLine
from backend.people.models import Client, Corporate, Psychologist
from backend.webhooks.models import Subscription
from tests.support import api, factor, factories, roles, scenarios, staff_api, working_hours
from tests.support.staff_api import BOOKINGS, PASSWORD, STAFF, Desk

Answers = Iterator[tuple[str, Any]]
DAY = timedelta(days=1)
NEW = {  # a row of each kind that can be made
    "clients": {"email": "kiran@example.org", "full_name": "Kiran Shah", "phone_number": "9876501234"},
    "closed-days": {"date": "2026-12-25", "note": "Christmas"},
    "locations": {"name": "Baner", "address": "12 Baner Road"},
    "languages": {"name": "Konkani"},
    "specializations": {"name": "Sleep"},
    "psychologists": {"full_name": "Dr. New", "email": "new@example.org"},
    "corporates": {"name": "Mills", "contact_email": "hr@mills.example"},
}


def of_visitors(now: datetime) -> Answers:
    """Beside what the first booking's visitor was answered."""
    yield "GET api/ping/", api.done(api.get("/api/ping/"))
    yield "GET api/support/", api.done(api.get(api.SUPPORT))
    who = working_hours.psychologist("Dr. Offered", hours="10:00 19:00")
    yield "GET api/psychologists/", api.done(api.get("/api/psychologists/"))
    yield "GET api/slots/", api.done(api.get("/api/slots/", {"mode": "ONLINE"}))
    booking = scenarios.confirmed("paid@example.org", now=now, who=who, at=now + 8 * DAY)
    paid = {"payment_reference": Payment.objects.get(booking=booking).reference}
    yield "POST api/bookings/complete-payment/", api.done(api.post(api.COMPLETE, paid))
    token = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.RESCHEDULE)
    offered = api.done(api.get(api.MOVE, {"token": token}))
    yield "GET api/bookings/move/", offered
    slot = offered["slots"][0]
    chosen = {"token": token, "psychologist": slot["psychologist"], "start": slot["start"]}
    yield "POST api/bookings/move/", api.done(api.post(api.MOVE, chosen))
    api.done(api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": str(booking)}), 202)
    link = {"token": scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)}
    yield "POST api/bookings/verify-cancellation/", api.done(api.post(api.VERIFY_CANCEL, link))


def of_staff(now: datetime) -> Answers:
    """Everything else, of a practice that has a row of each kind."""
    ClosedDay.objects.all().delete()
    made, owner = roles.world(now), roles.account(roles.OWNER, "owner-of-all")
    desk = Desk(owner, staff_api.token(owner))
    yield from _of_rows(desk)
    yield from _of_money(desk, now)
    yield from _of_bookings(desk, made, now)
    yield from _of_the_practice(desk, made.mine, now)
    yield from _of_operators(desk, now)
    yield from _of_subscriptions(desk)
    yield from _of_the_account(desk)


def _of_rows(desk: Desk) -> Answers:
    for record in RECORDS:
        path = f"{STAFF}{record.name}/"
        if record.name in NEW:
            yield f"POST {path[1:]}", api.done(desk.post(path, NEW[record.name]), 201)
        listed = api.done(desk.get(path))
        yield f"GET {path[1:]}", listed
        for row in listed[record.name.replace("-", "_")]:
            yield f"GET {path[1:]}<id>/", api.done(desk.get(f"{path}{row['id']}/"))


def _of_money(desk: Desk, now: datetime) -> Answers:
    payment = Payment.objects.exclude(captured_at=None).earliest("pk")
    Payment.objects.filter(pk=payment.pk).update(gateway="razorpay", capture_id="pay_1")
    factories.make_refund(payment, now=now, state=RefundState.DONE, settled_at=now, amount_paise=100)
    line = {"gateway": "razorpay", "kind": "payment", "currency": "INR", "fee_paise": 2, "tax_paise": 1}
    line |= {"settlement_id": "setl_1", "bank_reference": "UTR1", "settled_at": now, "amount_paise": 1}
    SettlementLine.objects.create(gateway_id="pay_1", reference=payment.reference, **line)
    SettlementLine.objects.create(gateway_id="pay_2", reference="", **line)
    span = {"first": "2026-11-01", "last": "2026-11-30"}
    for name in ("numbers", "accounts", "movements"):
        yield f"GET api/staff/reports/{name}/", api.done(desk.get(f"{STAFF}reports/{name}/", span))
    yield "GET api/staff/reports/month/", api.done(desk.get(f"{STAFF}reports/month/"))
    sponsor = Corporate.objects.create(name="Acme Mills")
    for n in range(7):
        email = f"p{n}@mills.example"
        factories.make_booking(
            State.COMPLETED, now=now, email=email, client=factories.make_client(email, now=now), corporate=sponsor,
            sponsored_month=date(2026, 5 if n else 6, 1),
        )  # fmt: skip
    yield "GET api/staff/corporates/<id>/report/", api.done(desk.get(f"{STAFF}corporates/{sponsor.pk}/report/"))


def _of_bookings(desk: Desk, made: roles.World, now: datetime) -> Answers:
    own, new = made.bookings["own"], made.bookings["unassigned"]
    one = "api/staff/bookings/<id>/"
    taken = {"full_name": "Kiran Shah", "phone_number": "9876501235", "age": 40, "consent_given": True}
    taken |= {
        "mode": "ONLINE",
        "payment_mode": "OFFLINE",
        "preferred_date": "2026-11-25",
        "preferred_period": "MORNING",
    }
    yield "POST api/staff/bookings/", api.done(desk.post(BOOKINGS, taken), 201)
    yield f"GET {one}suggestions/", api.done(desk.get(f"{new}/suggestions/"))
    tried = {"count": 2, "preview": True}
    yield f"POST {one}follow-up/", api.done(desk.act(own, "follow-up", tried))
    start = (scenarios.again(own).slot_start or now) + DAY
    yield (
        f"POST {one}move-series/",
        api.done(desk.act(own, "move-series", {"first_start": start.isoformat(), "preview": True})),
    )
    yield f"GET {one}readers/", api.done(desk.get(f"{own}/readers/"))
    receptionist = roles.account("Receptionist", "at-the-phone")
    phone = Desk(receptionist, staff_api.token(receptionist))
    yield f"POST {one}reveal-phone/", api.done(phone.act(own, "reveal-phone"))
    mine = roles.account("Psychologist", "gives-sessions", who=made.mine)
    yield f"POST {one}room/", api.done(Desk(mine, staff_api.token(mine)).act(own, "room"))
    receipt = Receipt.objects.filter(payment__booking=own).earliest("pk")
    receipt_files.keep(receipt, b"%PDF", now=now)
    document = f"{own}/receipts/{receipt.number.replace('/', '-')}/"
    yield f"GET {one}receipts/<id>/", api.done(desk.get(document))
    yield f"POST {one}told/", api.done(desk.act(own, "told", {"up_to": 1}))
    yield f"GET {one}reminders/", api.done(desk.get(f"{own}/reminders/"))
    client = Client.objects.get(email="new@example.org", full_name__gt="")
    code = factor.app_of(desk.user).code()
    erased = desk.post(f"{STAFF}clients/{client.pk}/erasure/", {"otp": code})
    yield "POST api/staff/clients/<id>/erasure/", api.done(erased, 201)


def _of_the_practice(desk: Desk, who: Psychologist, now: datetime) -> Answers:
    whose, named = f"{STAFF}psychologists/{who.pk}/", "api/staff/psychologists/<id>/"
    hours = [{"weekday": 0, "starts_at": "09:00", "ends_at": "12:00", "offers": "ONLINE"},
             {"day": "2026-12-01", "starts_at": "09:00", "ends_at": "12:00", "offers": "ONLINE"}]  # fmt: skip
    yield f"PUT {named}hours/", api.done(desk.send("PUT", f"{whose}hours/", data={"hours": hours}))
    away = {"start": (now + 30 * DAY).isoformat(), "end": (now + 31 * DAY).isoformat(), "note": "Training"}
    yield f"POST {named}time-off/", api.done(desk.post(f"{whose}time-off/", away), 201)
    yield f"GET {named}time-off/", api.done(desk.get(f"{whose}time-off/"))
    span = {"start": now.isoformat(), "end": (now + 20 * DAY).isoformat()}
    yield f"GET {named}absence/", api.done(desk.get(f"{whose}absence/", query=span))
    domains = f"{STAFF}corporates/{Corporate.objects.earliest('pk').pk}/domains/"
    sent = {"domains": ["acme.example"]}
    yield "PUT api/staff/corporates/<id>/domains/", api.done(desk.send("PUT", domains, data=sent))


def _of_operators(desk: Desk, now: datetime) -> Answers:
    whole = api.done(desk.get(f"{STAFF}overview/"))
    yield "GET api/staff/overview/", {name: value for name, value in whole.items() if name != "snapshot"}
    Message.objects.filter(queue="mail", state=MessageState.WAITING).update(lease_expires_at=now + DAY)
    yield "POST api/staff/queues/<id>/pause/", api.done(desk.post(f"{STAFF}queues/mail/pause/", {"reason": "A test."}))
    yield "GET api/staff/queues/<id>/", api.done(desk.get(f"{STAFF}queues/mail/"))
    yield "POST api/staff/dead-letters/redrive/", api.done(desk.post(f"{STAFF}dead-letters/redrive/"))


def _of_subscriptions(desk: Desk) -> Answers:
    one = f"{STAFF}webhooks/{Subscription.objects.earliest('pk').pk}/"
    yield "GET api/staff/webhooks/", api.done(desk.get(f"{STAFF}webhooks/"))
    yield "GET api/staff/webhooks/<id>/", api.done(desk.get(one))
    Message.objects.update(kind="webhook:booking.confirmed")  # of which there is a delivery
    yield "GET api/staff/webhooks/<id>/deliveries/", api.done(desk.get(f"{one}deliveries/"))
    yield "POST api/staff/webhooks/<id>/rotate-secret/", api.done(desk.post(f"{one}rotate-secret/"))


def _of_the_account(desk: Desk) -> Answers:
    user = staff_api.account("somebody-else", password=PASSWORD)
    sent = {"username": user.username, "password": PASSWORD, "otp": factor.app_of(user).code()}
    yield "POST api/staff/login/", api.done(api.post(staff_api.LOGIN, sent))
    yield "POST api/staff/logout/", api.done(desk.post(f"{STAFF}logout/"))
