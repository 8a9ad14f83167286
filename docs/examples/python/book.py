"""Books a session, pays for it, moves it and cancels it, by the client that `make clients` generates.

    PYTHONPATH=var/clients/python python docs/examples/python/book.py http://localhost:8000 var/mail

It needs a practice that approves the request meanwhile, on the pages at /admin/. What comes next, and until when, is
always read from an answer: no rule of the practice stands here.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import httpx
from mailbox_of_development import Mailbox
from mindsettler import Client
from mindsettler.api.bookings import (
    check_status,
    complete_payment,
    draft,
    initiate_payment,
    move,
    request_cancellation,
    times_to_move_to,
    verify_cancellation,
    verify_email,
)
from mindsettler.api.info import info
from mindsettler.api.slots import slots
from mindsettler.models import (
    AcknowledgementRequest,
    DraftRequest,
    PaymentRequest,
    ProblemAnswer,
    SlotAnswer,
    SlotChoiceRequest,
    StatusAnswer,
    TokenRequest,
)
from mindsettler.types import Response

Answer = TypeVar("Answer")
TRIES = 5
LOOKS = 60


class Refused(Exception):
    """The API said no; `problem` has a sentence for a person and a code for a program."""

    def __init__(self, problem: ProblemAnswer) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def done(send: Callable[[], Response[Answer | ProblemAnswer]]) -> Answer:
    """The answer. What got none, or came too early, is sent again: the Idempotency-Key in it makes that harmless."""
    for attempt in range(TRIES):
        try:
            response = send()
        except httpx.TransportError:
            time.sleep(attempt)
            continue
        if response.parsed is None or not isinstance(response.parsed, ProblemAnswer):
            assert response.parsed is not None
            return response.parsed
        if "Retry-After" not in response.headers:
            raise Refused(response.parsed)
        time.sleep(int(response.headers["Retry-After"]))
    raise TimeoutError(f"no answer in {TRIES} tries")


def key() -> str:
    """A new one for each thing to be done."""
    return str(uuid.uuid4())


class Visitor:
    """One person with one booking."""

    def __init__(self, client: Client, mailbox: Mailbox) -> None:
        self.client, self.mailbox = client, mailbox
        self.id = ""

    def choose(self, offered: list[SlotAnswer], what: str) -> SlotAnswer:
        """A person would; here it is the last one."""
        slot = offered[-1]
        print(f"{len(offered)} {what}; we take {slot.start:%A %d %B, %H:%M}")
        return slot

    def send_draft(self, slot: SlotAnswer, phone_number: str) -> None:
        form = DraftRequest(
            email=self.mailbox.address,
            full_name="Asha Rao",
            phone_number=phone_number,
            city="Pune",
            age=31,
            gender="FEMALE",
            emergency_contact="Vikram Rao",
            consent_given=True,
            preferred_date=slot.start.date(),
            preferred_period="CUSTOM",
            preferred_time_start=f"{slot.start:%H:%M}",
            preferred_time_end=f"{slot.end:%H:%M}",
            mode=slot.modes[0],
            payment_mode="ONLINE",
            psychologist=slot.psychologist,
            preferred_slot_start=slot.start,
        )
        said = done(partial(draft.sync_detailed, client=self.client, body=form, idempotency_key=key()))
        print(said.message)

    def prove_address(self) -> None:
        token = TokenRequest(self.mailbox.token("confirm your email"))
        shown = done(partial(verify_email.sync_detailed, client=self.client, body=token, idempotency_key=key()))
        self.id = shown.booking.acknowledgement_id

    def status(self) -> StatusAnswer:
        return done(partial(check_status.sync_detailed, client=self.client, acknowledgement_id=self.id))

    def told(self) -> set[str]:
        """The status, in the practice's own words; what may be done now."""
        status = self.status()
        actions = [action.action for action in status.allowed_actions]
        print(f"{self.id} is {status.status}: {status.next_step} (now possible: {', '.join(actions) or 'nothing'})")
        return set(actions)

    def wait_for_answer(self) -> None:
        """Until the practice has decided. Raises TimeoutError: ask again tomorrow."""
        for _ in range(LOOKS):
            if self.status().next_step_code != "wait_for_answer":
                return
            time.sleep(2)
        raise TimeoutError(f"{self.id} has no answer yet")

    def pay(self) -> None:
        body = AcknowledgementRequest(self.id)
        begun = done(partial(initiate_payment.sync_detailed, client=self.client, body=body, idempotency_key=key()))
        if begun.pay_url:
            print(f"Please pay {begun.amount} rupees at {begun.pay_url}")
        reference = PaymentRequest(begun.payment_reference)
        paid = done(partial(complete_payment.sync_detailed, client=self.client, body=reference, idempotency_key=key()))
        print(f"{begun.amount} rupees: {paid.message}")

    def move(self) -> None:
        token = self.mailbox.token("is confirmed", page="/go/reschedule/")
        listed = done(partial(times_to_move_to.sync_detailed, client=self.client, token=token))
        slot = self.choose(listed.slots, "other times")
        body = SlotChoiceRequest(token=token, psychologist=slot.psychologist, start=slot.start)
        print(done(partial(move.sync_detailed, client=self.client, body=body, idempotency_key=key())).message)

    def cancel(self) -> None:
        body = AcknowledgementRequest(self.id)
        asked = done(partial(request_cancellation.sync_detailed, client=self.client, body=body, idempotency_key=key()))
        print(asked.message)
        token = TokenRequest(self.mailbox.token("One step left", page="/go/cancel/"))
        print(
            done(
                partial(verify_cancellation.sync_detailed, client=self.client, body=token, idempotency_key=key())
            ).message
        )


def main(url: str, mails: str) -> None:
    """The whole way."""
    client = Client(base_url=url, timeout=httpx.Timeout(15))
    visitor = Visitor(client, Mailbox(mails, f"asha-{uuid.uuid4().hex[:8]}@example.org"))
    practice = done(partial(info.sync_detailed, client=client))
    print(
        f"{practice.practice_name}: sessions of {practice.session_minutes} minutes, from {practice.price_from} rupees"
    )
    slot = visitor.choose(done(partial(slots.sync_detailed, client=client, mode="ONLINE")).slots, "free times")
    try:
        visitor.send_draft(slot, phone_number="98765")
    except Refused as refused:
        errors = refused.problem.errors
        print(f"refused, {refused.problem.code}: {errors.to_dict() if errors else refused}")
        visitor.send_draft(slot, phone_number="9876543210")
    visitor.prove_address()
    visitor.told()
    visitor.wait_for_answer()
    if "pay" not in visitor.told():
        return
    visitor.pay()
    visitor.move()
    visitor.told()
    visitor.cancel()
    visitor.told()


if __name__ == "__main__":
    main(*sys.argv[1:3])
