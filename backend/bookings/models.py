"""The booking; the rows that belong to it stand in modules of their own and are found here too."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q

from backend.bookings import policy
from backend.bookings.answer_models import KeptAnswer as KeptAnswer
from backend.bookings.ledger_models import LedgerEntry as LedgerEntry
from backend.bookings.link_models import Alternative as Alternative
from backend.bookings.link_models import Link as Link
from backend.bookings.link_models import Purpose as Purpose
from backend.bookings.machine import ACTIVE, CALLED_OFF, FINAL, HOLDS_SLOT, BookingMachine, State
from backend.bookings.request_models import DataRequest as DataRequest
from backend.bookings.request_models import RequestKind as RequestKind
from backend.bookings.request_models import RequestState as RequestState
from backend.bookings.request_models import WaitsFor as WaitsFor
from backend.bookings.slot_models import ClosedDay as ClosedDay
from backend.bookings.slot_models import SlotClaim as SlotClaim
from backend.bookings.sum_models import KeptSum as KeptSum
from backend.core.encryption import EncryptedTextField
from backend.core.personal_data import classify
from backend.people.models import Client, Corporate, Psychologist

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U: https://www.crockford.com/base32.html


def new_acknowledgement_id() -> str:
    """`MS-` and six random characters, about 10^9 values; the column's uniqueness finds the rare collision."""
    return "MS-" + "".join(secrets.choice(CROCKFORD) for _ in range(6))


class Origin(models.TextChoices):
    VISITOR = "visitor", "Visitor"
    STAFF = "staff", "Staff"


class Mode(models.TextChoices):
    ONLINE = "ONLINE", "Online"
    OFFLINE = "OFFLINE", "In person"


class PaymentMode(models.TextChoices):
    ONLINE = "ONLINE", "Online"
    OFFLINE = "OFFLINE", "At the practice"


class GuardianProof(models.TextChoices):
    """How staff know that who consented is a minor's guardian, and grown up."""

    DOCUMENT = "document", "An identity document was shown"
    TOKEN = "token", "By a Digital Locker or another token of the state"
    KNOWN = "known", "The practice knows them already"
    SPOKEN = "spoken", "We called them and asked"


class Period(models.TextChoices):
    MORNING = "MORNING", "Morning"
    EVENING = "EVENING", "Evening"
    CUSTOM = "CUSTOM", "Custom"


class Gender(models.TextChoices):
    MALE = "MALE", "Male"
    FEMALE = "FEMALE", "Female"
    OTHER = "OTHER", "Other"
    PREFER_NOT_TO_SAY = "PREFER_NOT_TO_SAY", "Prefers not to say"


class Outcome(models.TextChoices):
    """What became of the session, as staff record it for some days; no transition."""

    UNRECORDED = "unrecorded", "Not recorded"
    ATTENDED = "attended", "Attended"
    NO_SHOW = "no_show", "Client did not come"
    PRACTICE_ABSENT = "practice_absent", "We could not hold it"


class Booking(BookingMachine):
    """One request for a session. What the visitor typed stays here; `client` is the person behind the address."""

    acknowledgement_id = models.CharField(max_length=9, unique=True, default=new_acknowledgement_id, editable=False)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.VISITOR)
    # without the index that a foreign key brings: each is a write of every update, and those below say more
    client = models.ForeignKey(Client, null=True, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    # the session from which staff booked this one
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="follow_ups", db_index=False
    )

    email = models.EmailField(max_length=254, blank=True)
    full_name = models.CharField(max_length=120, blank=True)
    phone_number = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state or province", max_length=80, blank=True)
    country = models.CharField(max_length=80, blank=True)
    age = models.PositiveSmallIntegerField(null=True, blank=True)
    gender = models.CharField(max_length=20, choices=Gender.choices, blank=True)
    emergency_contact = EncryptedTextField(max_length=120, blank=True, default="", row_id="acknowledgement_id")
    user_message = EncryptedTextField(blank=True, default="", row_id="acknowledgement_id")
    consent_given_at = models.DateTimeField(null=True, blank=True)
    consent_withdrawn_at = models.DateTimeField(null=True, blank=True)  # then nothing is sent that only reminds
    # the privacy notice that was accepted then; empty where nobody asked
    notice_version = models.CharField(max_length=10, blank=True, default="", db_default="")
    notice_language = models.CharField(max_length=2, blank=True, default="", db_default="")
    # whether mails put the session into the visitor's calendar, which others may see
    calendar_entry = models.BooleanField(default=True, db_default=True)

    # in which their mails are written, and beside which clock its times; empty where they said nothing
    language = models.CharField(max_length=8, blank=True, default="", db_default="")  # ISO 639-1
    time_zone = models.CharField(max_length=40, blank=True, default="", db_default="")  # IANA
    # a channel, or mail, as the request asked for it; it counts once the address is proved. Empty where it said nothing
    reminders_by = models.CharField(max_length=16, blank=True, default="", db_default="")

    preferred_date = models.DateField()
    preferred_period = models.CharField(max_length=8, choices=Period.choices)
    preferred_time_start = models.TimeField(null=True, blank=True)
    preferred_time_end = models.TimeField(null=True, blank=True)
    # a wish, not a hold: while the request is PENDING the slot is not offered to others
    preferred_psychologist = models.ForeignKey(
        Psychologist, null=True, blank=True, on_delete=models.SET_NULL, related_name="wished_for", db_index=False
    )
    preferred_slot_start = models.DateTimeField(null=True, blank=True)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    payment_mode = models.CharField(max_length=8, choices=PaymentMode.choices)

    guardian_consent_at = models.DateTimeField(null=True, blank=True)
    guardian_consent_by = models.CharField(max_length=80, blank=True)  # who recorded it
    # who consented, and how staff know that it was the guardian
    guardian_name = EncryptedTextField(
        max_length=120, blank=True, default="", db_default="", row_id="acknowledgement_id"
    )
    guardian_proof = models.CharField(
        max_length=10, choices=GuardianProof.choices, blank=True, default="", db_default=""
    )
    sponsor_code = models.CharField(max_length=40, blank=True)  # as the visitor gave it, in upper case
    corporate = models.ForeignKey(Corporate, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    # while PENDING `corporate` is only named, by code, address or staff; approval asks what its month has left
    sponsored_month = models.DateField(null=True, blank=True)  # its first day: whose allowance holds this session
    sponsorship_returned_at = models.DateTimeField(null=True, blank=True)  # the allowance has the session back
    psychologist = models.ForeignKey(Psychologist, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    slot_start = models.DateTimeField(null=True, blank=True)
    slot_end = models.DateTimeField(null=True, blank=True)
    meeting_link = models.CharField(max_length=200, blank=True)
    address = models.TextField(max_length=500, blank=True)
    amount_paise = models.PositiveIntegerField(null=True, blank=True)
    pay_by = models.DateTimeField(null=True, blank=True)

    verified_at = models.DateTimeField(null=True, blank=True)
    next_ask_at = models.DateTimeField(null=True, blank=True)  # when the gateway is asked after an open attempt again
    cancellation_requested_at = models.DateTimeField(null=True, blank=True)  # asked, and not yet proved by mail
    # moved by staff, or to be moved as they asked: the visitor may then cancel until the start
    moved_by_staff_at = models.DateTimeField(null=True, blank=True)
    # until when the visitor chooses another time: the practice cannot hold this one, which stays claimed meanwhile
    choose_by = models.DateTimeField(null=True, blank=True)
    moves_by_visitor = models.PositiveSmallIntegerField(default=0)
    message_read_at = models.DateTimeField(null=True, blank=True)  # when staff first opened what the visitor wrote
    is_priority = models.BooleanField(default=False)  # asked again after we left a request unanswered
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.UNRECORDED)
    # what staff add to a rejection or cancellation, and why they gave nothing back when they cancelled
    note_to_visitor = EncryptedTextField(max_length=300, blank=True, default="", row_id="acknowledgement_id")
    refund_note = EncryptedTextField(max_length=300, blank=True, default="", row_id="acknowledgement_id")
    ledger_sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    purged_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(
        personal=(
            "client email full_name city region country time_zone age gender sponsor_code guardian_name meeting_link "
            "note_to_visitor refund_note"
        ),
        sensitive="phone_number emergency_contact user_message",
        internal=(
            "state reason due_at closed_at undo_until acknowledgement_id origin follows consent_given_at "
            "consent_withdrawn_at notice_version notice_language calendar_entry language reminders_by "
            "preferred_date preferred_period preferred_time_start preferred_time_end preferred_psychologist "
            "preferred_slot_start mode payment_mode guardian_consent_at guardian_consent_by "
            "guardian_proof corporate sponsored_month sponsorship_returned_at psychologist slot_start slot_end "
            "address amount_paise pay_by verified_at next_ask_at cancellation_requested_at moved_by_staff_at choose_by "
            "moves_by_visitor message_read_at is_priority outcome ledger_sequence created_at purged_at"
        ),
    )

    class Meta:
        ordering = ["-id"]
        permissions = [  # what each is for: backend/accounts/roles.py
            ("view_own_booking", "Can view own bookings"),
            ("change_own_booking", "Can change own bookings"),
            ("view_unassigned_booking", "Can decide about requests without a psychologist"),
            ("view_user_message", "Can read the messages of all bookings"),
            ("view_phone_number", "Can see telephone numbers"),
            ("reveal_phone_number", "Can reveal a telephone number, recorded"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(state__in=[s.value for s in ACTIVE], origin=Origin.VISITOR.value),
                name="one_active_booking_per_client",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in FINAL], due_at=None, closed_at__isnull=False)
                | (~Q(state__in=[s.value for s in FINAL]) & Q(due_at__isnull=False, closed_at=None)),
                name="waiting_has_deadline",
            ),
            models.CheckConstraint(
                condition=Q(slot_start=None, slot_end=None) | Q(slot_end__gt=models.F("slot_start")),
                name="slot_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(choose_by=None) | Q(state__in=[s.value for s in HOLDS_SLOT]),
                name="choice_is_of_a_session",
            ),
        ]
        indexes = [
            # every sweep: the due bookings of one state, oldest first
            models.Index(fields=["state", "due_at"], condition=Q(due_at__isnull=False), name="booking_due"),
            # a client's drafts and bookings, newest first
            models.Index(fields=["client", "-id"], name="booking_client"),
            # the sessions booked from one
            models.Index(fields=["follows"], condition=Q(follows__isnull=False), name="booking_follows"),
            # the purge of drafts that were never proved
            models.Index(
                fields=["closed_at"],
                condition=Q(verified_at=None, purged_at=None, state="CANCELLED"),
                name="booking_purge",
            ),
            # what was called off in a month
            models.Index(
                fields=["closed_at"],
                condition=Q(state__in=[s.value for s in CALLED_OFF]),
                name="booking_called_off",
            ),
            # the sweep of cancellations that were asked for and never proved
            models.Index(
                fields=["cancellation_requested_at"],
                condition=Q(cancellation_requested_at__isnull=False),
                name="booking_cancellation",
            ),
            # the sweep of choices that were not made
            models.Index(fields=["choose_by"], condition=Q(choose_by__isnull=False), name="booking_choice"),
            # what a sponsor's month has left, and the desk's list of what somebody sponsors
            models.Index(
                fields=["corporate", "sponsored_month"],
                condition=Q(corporate__isnull=False),
                name="booking_sponsored",
            ),
            # the slots that requests ask for, which are not offered meanwhile
            models.Index(
                fields=["preferred_psychologist", "preferred_slot_start"],
                condition=Q(state=State.PENDING.value, preferred_slot_start__isnull=False),
                name="booking_wish",
            ),
            # the sessions of a day, a week or a month
            models.Index(fields=["slot_start"], condition=Q(slot_start__isnull=False), name="booking_slot"),
            # the requests of a month
            models.Index(fields=["verified_at"], condition=Q(verified_at__isnull=False), name="booking_verified"),
            # who rang and left no address: the same call is looked for among the newest
            models.Index(fields=["-id"], condition=Q(email=""), name="booking_caller"),
            # the desk's list, newest first: of a psychologist, and those who asked again. Of a state, `booking_due`
            # finds those that wait, and the others are common enough to be met soon from the end
            models.Index(fields=["psychologist", "-id"], name="booking_psychologist"),
            models.Index(
                fields=["-id"], condition=Q(state=State.PENDING.value, is_priority=True), name="booking_again"
            ),
            # wishes of some days
            models.Index(fields=["preferred_date"], name="booking_preferred"),
            # words of the desk's search, which SQLite reads whole; PostgreSQL has `booking_words`, by a migration
            models.Index(fields=["full_name", "email", "phone_number"], name="booking_search"),
        ]

    def __str__(self) -> str:
        return self.acknowledgement_id

    def undoable_until(self, now: datetime) -> datetime | None:
        """Until when staff can undo the last decision; None: they cannot, or the clock was set back since."""
        until = self.undo_until
        return until if until is not None and now < until <= now + policy.UNDO_WINDOW else None

    def is_open(self, now: datetime) -> bool:
        """A proved request or session that is not over, or a decision that can still be undone."""
        return self.state in ACTIVE or self.undoable_until(now) is not None

    @property
    def is_minor(self) -> bool:
        """A guardian must consent before a session is approved."""
        return self.age is not None and self.age < policy.ADULT_AGE

    @property
    def lacks_consent(self) -> bool:
        """A minor's guardian has not consented yet, as far as staff recorded."""
        return self.is_minor and self.guardian_consent_at is None

    @property
    def is_sponsored(self) -> bool:
        """A sponsor pays, or before approval may."""
        return self.corporate_id is not None

    @property
    def is_due_at_practice(self) -> bool:
        """In person and paid in person: nothing is to be paid up front."""
        return self.mode == Mode.OFFLINE and self.payment_mode == PaymentMode.OFFLINE

    @property
    def needs_payment(self) -> bool:
        """Something is to be paid before the session is confirmed."""
        return not (self.is_due_at_practice or self.is_sponsored or self.amount_paise == 0)


DUE_AT_PRACTICE = Q(mode=Mode.OFFLINE, payment_mode=PaymentMode.OFFLINE)  # `is_due_at_practice`, asked of rows
