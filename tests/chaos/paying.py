"""Visitors who pay on a gateway's page: at once, late, twice, after a decline, by a bank that takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import Error, connection

from backend.outbox.models import Message
from backend.people.models import Psychologist
from tests.chaos.bank import Pages
from tests.chaos.traffic import End, GaveUp, Visit
from tests.support import scenarios

MAILS_DUE_MOST = 60  # mails
LOOKS_EVERY = 1.0  # seconds
SLOT_EVERY = timedelta(minutes=1)  # of the payers' sessions


class PageVisit(Visit):
    """A visitor of a practice whose gateway has pages."""

    @property
    def _pages(self) -> Pages:
        assert isinstance(self._world.bank, Pages)
        return self._world.bank

    def _ends(self) -> list[tuple[End, int]]:
        return [
            (self._stays_silent, 6),
            (self._is_rejected, 3),
            (self._never_pays, 6),
            (self._pays, 20),
            (self._cancels_unpaid, 5),
            *self._ways_to_pay(),
        ]

    def _ways_to_pay(self) -> list[tuple[End, int]]:
        return [
            (self._pays_at_the_bank, 20),
            (self._pays_and_nobody_tells, 12),
            (self._pays_late, 5),
            (self._fails_then_pays, 8),
            (self._pays_by_a_slow_bank, 8),
            (self._is_declined_by_a_slow_bank, 4),
            (self._pays_what_is_granted, 6),
            (self._pays_after_the_bank_changed_its_mind, 4),
            (self._pays_twice, 4),
            (self._cancels_paid, 8),
            (self._gets_it_back_late, 4),
        ]

    # -- how it can end -----------------------------------------------------------------------------------------------

    def _pays(self) -> None:
        """And comes back to the site, which asks."""
        self._approved()
        self._back_from(self._payment(), self._pages.captures)

    def _pays_at_the_bank(self) -> None:
        self._approved()
        self._pages.captures(self._payment())

    def _pays_and_nobody_tells(self) -> None:
        self._approved()
        self._pages.captures_untold(self._payment())

    def _pays_late(self) -> None:
        """After the attempt has ended; a gateway may take the money all the same."""
        self._approved()
        reference = self._payment()
        time.sleep(self._chosen.uniform(12, 45) * self._world.stack.pace)
        self._pages.captures(reference, **self._late())

    def _fails_then_pays(self) -> None:
        """On the same page."""
        self._approved()
        reference = self._payment()
        self._back_from(reference, self._pages.declines)
        self._back_from(reference, self._pages.captures)

    def _pays_by_a_slow_bank(self) -> None:
        self._approved()
        self._pages.takes_its_time(self._payment(), becomes="captured", seconds=self._chosen.uniform(2, 20))

    def _is_declined_by_a_slow_bank(self) -> None:
        self._approved()
        self._pages.takes_its_time(self._payment(), becomes="failed", seconds=self._chosen.uniform(2, 20))

    def _pays_what_is_granted(self) -> None:
        """And comes back; we capture it."""
        self._approved()
        self._back_from(self._payment(), self._pages.grants)

    def _pays_after_the_bank_changed_its_mind(self) -> None:
        """`failed` is not final, where the gateway says so."""
        self._approved()
        reference = self._payment()
        late = {"becomes": "captured", "seconds": self._chosen.uniform(5, 30)} if self._pages.takes_money_late else {}
        self._pages.declines(reference, **late)

    def _pays_twice(self) -> None:
        """The second time the page is paid already."""
        self._approved()
        reference = self._payment()
        self._pages.captures(reference)
        self._pages.captures(reference, **self._late())

    def _gets_it_back_late(self) -> None:
        """The bank gives it back days after it was asked to."""
        self._approved()
        if payment := self._pages.captures(self._payment()):
            self._pages.holds_refunds(payment)
        self._cancel()

    def _back_from(self, reference: str, act: Callable[[str], str]) -> None:
        act(reference)
        self._visitor.post("/api/bookings/complete-payment/", {"payment_reference": reference})

    def _late(self) -> dict[str, object]:
        return {"force": True} if self._pages.takes_money_late else {}


class Payer(PageVisit):
    """One whose request staff have approved already, so that many of them can pay."""

    def walk(self) -> None:
        """Once mail keeps up: a payment owes five, and a practice has no more visitors than it can write to."""
        if self._mail_lags():
            time.sleep(LOOKS_EVERY)
        else:
            super().walk()

    def _ends(self) -> list[tuple[End, int]]:
        return [(self._pays, 20), *self._ways_to_pay()]

    def _mail_lags(self) -> bool:
        """Nobody knows while PostgreSQL is away."""
        due = Message.objects.filter(queue="mail", state="waiting", next_attempt_at__lte=datetime.now(UTC))
        try:
            return due.count() > MAILS_DUE_MOST
        except Error:
            return True
        finally:
            connection.close()

    def submit(self) -> None:
        """Nothing: see `_approved`."""

    def _cancel(self) -> None:
        """By staff, who need no mail for it."""
        self._staff.post(self._desk("cancel"), {"note_to_visitor": "The room is flooded."})

    def _approved(self) -> None:
        """By the same intents, in this process. Raises GaveUp while PostgreSQL is away."""
        now = datetime.now(UTC)
        who = self._world.psychologists[self._number % len(self._world.psychologists)]
        at = (now + timedelta(days=301)).replace(second=0, microsecond=0) + self._number * SLOT_EVERY
        try:
            psychologist = Psychologist.objects.get(pk=who)
            booking = scenarios.approved(self.address, now=now, who=psychologist, at=at, full_name="Asha Rao")
        except Error as error:
            raise GaveUp("approved") from error
        finally:
            connection.close()  # the pool has few, and those who look need theirs
        self._id = booking.acknowledgement_id
