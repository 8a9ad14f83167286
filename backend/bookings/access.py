"""Which bookings somebody sees and may decide about, and which words of them: `backend.accounts.roles`, by row."""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from backend.accounts.roles import SEES_SOME_BOOKINGS, Ability, has_any_permission, mask_digits
from backend.bookings import actors
from backend.bookings.intents import Intent
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.core import disclosures
from backend.people import phones
from backend.people.models import Psychologist, TimeOff

Row = TypeVar("Row", bound=Model)
NONE = Q(pk__in=())
UNASSIGNED = Q(psychologist=None, state=State.PENDING)


class Scope(Enum):
    """Who may do a thing, beside those who decide about every booking."""

    DESK = "desk"  # nobody
    OWN = "own"  # the psychologist whose booking it is
    UNDO = "undo"  # as OWN, and whose own rejection of an unassigned request it was
    UNASSIGNED = "unassigned"  # who looks after requests that no psychologist has yet


class AccessPolicy:
    """One account's view, for one request: its permissions and its psychologist are asked for once."""

    def __init__(self, user: User | AnonymousUser) -> None:
        self.user = user

    @cached_property
    def psychologist_id(self) -> int | None:
        """Whose account it is."""
        found: Psychologist | None = getattr(self.user, "psychologist", None)
        return None if found is None else found.pk

    # -- rows ----------------------------------------------------------------------------------------------------------

    @cached_property
    def sees_bookings(self) -> bool:
        """Some of them at least, be there any or not."""
        return has_any_permission(self.user, *SEES_SOME_BOOKINGS)

    @cached_property
    def sees_all(self) -> bool:
        """Who may change a booking may read it."""
        return has_any_permission(self.user, Ability.SEE_BOOKINGS, Ability.DECIDE)

    @cached_property
    def decides(self) -> bool:
        """About every booking, and makes new ones."""
        return has_any_permission(self.user, Ability.DECIDE)

    @property
    def sets_prices(self) -> bool:
        """Other than a psychologist's fee: who treats people does not say what the practice asks for it."""
        return self.decides

    def bookings(self) -> Q:
        """Those they see."""
        if self.sees_all:
            return Q()
        seen = self._own() if has_any_permission(self.user, Ability.SEE_OWN) else NONE
        return seen | UNASSIGNED if has_any_permission(self.user, Ability.SEE_UNASSIGNED) else seen

    def bookings_to(self, scope: Scope) -> Q:
        """Those about which they may decide a thing of this scope."""
        if self.decides:
            return Q()
        own = scope in (Scope.OWN, Scope.UNDO) and has_any_permission(self.user, Ability.DECIDE_OWN)
        if scope is Scope.UNDO and has_any_permission(self.user, Ability.SEE_UNASSIGNED):
            return self._rejected_by_them() | (self._own() if own else NONE)
        if own:
            return self._own()
        if scope is Scope.UNASSIGNED and has_any_permission(self.user, Ability.SEE_UNASSIGNED):
            return UNASSIGNED
        return NONE

    def may_act_on_some(self, scope: Scope) -> bool:
        """Whether there can be bookings about which they decide a thing of this scope."""
        return self.bookings_to(scope) != NONE

    def may_act(self, booking: Booking, scope: Scope) -> bool:
        """As `bookings_to`, of a booking in hand."""
        if self.decides:
            return True
        if scope is Scope.UNDO:
            return Booking.objects.filter(self.bookings_to(scope), pk=booking.pk).exists()
        if scope is Scope.OWN:
            return has_any_permission(self.user, Ability.DECIDE_OWN) and self._is_own(booking)
        return (
            scope is Scope.UNASSIGNED
            and has_any_permission(self.user, Ability.SEE_UNASSIGNED)
            and _is_unassigned(booking)
        )

    @property
    def sees_numbers(self) -> bool:
        """Of the whole practice, as sums: for who may see its money."""
        return has_any_permission(self.user, Ability.SEE_MONEY)

    @property
    def sees_sums(self) -> bool:
        """Of what they see: a psychologist of their own sessions. At the desk money is taken, booking by booking."""
        return self.sees_numbers or not self.sees_all

    def keeps_time_of(self) -> QuerySet[Psychologist]:
        """Whose time they may mark: their own, or with the right to send people away everybody's."""
        active = Psychologist.objects.filter(is_active=True).order_by("full_name")
        if has_any_permission(self.user, Ability.SEND_AWAY):
            return active
        if self.psychologist_id is None or not has_any_permission(self.user, Ability.SEE_OWN):
            return active.none()
        return active.filter(pk=self.psychologist_id)

    def may_free(self, time_off: TimeOff) -> bool:
        """Their own time, or with the permission anybody's."""
        return time_off.psychologist_id == self.psychologist_id or self.user.has_perm("people.delete_timeoff")

    @property
    def records_absences(self) -> bool:
        """Bookings are moved and cancelled, and the psychologist has time off."""
        return self.decides and has_any_permission(self.user, Ability.SEND_AWAY)

    # -- words ---------------------------------------------------------------------------------------------------------

    def reads_message(self, booking: Booking) -> bool:
        """What the visitor wrote: for the psychologist, and before there is one for those on duty."""
        if has_any_permission(self.user, Ability.READ_MESSAGES):
            return True
        if has_any_permission(self.user, Ability.SEE_OWN) and self._is_own(booking):
            return True
        return has_any_permission(self.user, Ability.SEE_UNASSIGNED) and _is_unassigned(booking)

    @cached_property
    def sees_phones(self) -> bool:
        """As they are."""
        return has_any_permission(self.user, Ability.SEE_PHONES)

    @property
    def reveals_phones(self) -> bool:
        """One at a time, which is recorded."""
        return has_any_permission(self.user, Ability.REVEAL_PHONES)

    def phone(self, booking: Booking) -> str:
        """The telephone number, as they see it."""
        number = phones.shown(booking.phone_number)
        if not self.sees_phones:
            return mask_digits(number)
        if number:
            disclosures.note(booking, "phone_number")
        return number

    def contact(self, booking: Booking) -> str:
        """Whom to call in an emergency, as they see it: words that hold a number."""
        if self.sees_phones:
            return booking.emergency_contact
        with disclosures.unseen():
            return mask_digits(booking.emergency_contact)

    def _own(self) -> Q:
        return NONE if self.psychologist_id is None else Q(psychologist=self.psychologist_id)

    def _rejected_by_them(self) -> Q:
        """Without a psychologist still, and nothing has happened since."""
        last = LedgerEntry.objects.filter(booking=OuterRef("pk"), sequence=OuterRef("ledger_sequence"))
        theirs = last.filter(intent=Intent.REJECT, actor=actors.for_account(self.user))
        return Q(Exists(theirs), psychologist=None, state=State.REJECTED)

    def _is_own(self, booking: Booking) -> bool:
        return booking.psychologist_id is not None and booking.psychologist_id == self.psychologist_id


def _is_unassigned(booking: Booking) -> bool:
    return booking.psychologist_id is None and booking.state == State.PENDING


def about_seen(rows: QuerySet[Row], booking: str, seen: QuerySet[Booking]) -> QuerySet[Row]:
    """The `rows` whose `booking` is among the `seen`; all of them, unjoined, for who sees every booking."""
    return rows.filter(**{f"{booking}__in": seen}) if seen.query.where else rows
