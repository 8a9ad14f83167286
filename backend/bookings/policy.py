"""Every duration, limit and default of the booking's life, each with its unit and its reason.

Read a value as `policy.NAME`, never by `from policy import NAME`: tests and the fast profile change them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from backend.bookings import retention
from backend.core import environment as env
from backend.core.formatting import practice_zone

# -- DRAFT ------------------------------------------------------------------------------------------------------------
DRAFT_LIFETIME = env.duration("DRAFT_LIFETIME", "how long a draft waits for its address to be proved", default="48h")
DRAFT_REMINDER_AFTER = env.duration("DRAFT_REMINDER_AFTER", "when an unproved draft is reminded, once", default="24h")
DRAFT_REPEAT_WINDOW = env.duration(
    "DRAFT_REPEAT_WINDOW", "an identical draft within this span is the same click arriving twice", default="60s"
)

# -- PENDING ----------------------------------------------------------------------------------------------------------
ANSWER_WITHIN = env.duration(
    "ANSWER_WITHIN", "open time staff have to answer a request; closed days do not count", default="72h"
)

STAFF_REMINDED_AFTER = env.duration("STAFF_REMINDED_AFTER", "open time after which staff hear again", default="24h")
MANAGER_TOLD_AFTER = env.duration(
    "MANAGER_TOLD_AFTER", "open time after which managers hear, and the visitor reads that we are late", default="48h"
)
ALTERNATIVE_LINK_LIFETIME = env.duration(
    "ALTERNATIVE_LINK_LIFETIME", "how long the times that a rejection offers instead can be taken", default="48h"
)
AGAIN_LINK_LIFETIME = env.duration(
    "AGAIN_LINK_LIFETIME", "how long an unanswered visitor can ask again by one click", default="14d"
)

# -- APPROVED ---------------------------------------------------------------------------------------------------------
PAY_WITHIN = env.duration("PAY_WITHIN", "time to pay after approval", default="24h")
PAY_BEFORE_SLOT = env.duration("PAY_BEFORE_SLOT", "payment is due this long before the slot starts", default="1h")
PAY_GRACE = env.duration("PAY_GRACE", "unannounced grace after pay_by, never past the slot's start", default="10m")
ONLINE_PAYMENT_NOTICE = env.duration(
    "ONLINE_PAYMENT_NOTICE", "a slot nearer than this cannot be paid online", default="30m"
)
FOLLOW_UP_PAY_BEFORE = env.duration(
    "FOLLOW_UP_PAY_BEFORE",
    "a follow-up is to be paid this long before it starts, if that gives more time than PAY_WITHIN",
    default="48h",
)
SESSION_FEE_PAISE = env.integer("SESSION_FEE_PAISE", "default fee of a session, in paise", default=150_000)
CURRENCY = "INR"

# -- PAYMENT_PENDING --------------------------------------------------------------------------------------------------
ATTEMPT_LIFETIME = env.duration("ATTEMPT_LIFETIME", "an attempt not captured by then is idle", default="30m")
GATEWAY_ASK_EVERY = env.duration("GATEWAY_ASK_EVERY", "how often an unreachable gateway is asked again", default="60s")
GATEWAY_ASK_FOR = env.duration(
    "GATEWAY_ASK_FOR", "how long past the deadline the gateway is asked before the attempt is closed", default="30m"
)
RECONCILED_FOR = timedelta(hours=72)  # money that moved since is compared; a bank changes its mind for so long
EVENT_LEFT_TO_DOOR = timedelta(seconds=2)  # a webhook that just came: the web process applies it

DESK_MONEY_OLDEST = timedelta(days=60)  # money at the practice that is recorded later has another day by mistake

# -- refunds ----------------------------------------------------------------------------------------------------------
REFUND_ASKED_FOR = env.duration(
    "REFUND_ASKED_FOR",
    "how long the gateway is asked after a refund that it calls pending, before staff look into it; banks need days",
    default="7d",
)
REFUND_ASKED_AFTER_LEAST = timedelta(seconds=5)  # most gateways are done by then, and a webhook tells of the rest
REFUND_ASKED_AFTER_MOST = timedelta(hours=6)  # what is not done within a day is done in days

# -- CONFIRMED --------------------------------------------------------------------------------------------------------
SESSION_LENGTH = env.duration("SESSION_LENGTH", "default length of a session", default="60m")
SESSION_LONGEST = timedelta(hours=4)  # a longer one is a typing error
SLOT_HORIZON = timedelta(days=366)  # a slot further ahead is a typing error
SLOT_BUFFER = env.duration("SLOT_BUFFER", "pause a psychologist has after a session", default="15m")
BOOKING_NOTICE = env.duration("BOOKING_NOTICE", "free slots nearer than this are not offered", default="24h")
BOOKING_HORIZON = env.duration("BOOKING_HORIZON", "free slots further ahead are not offered", default="60d")
SLOT_STEP_LEAST = timedelta(minutes=15)  # starts nearer to one another are no choice, however short sessions are
# what visitors mean by them on the site's form, in the practice's hours: when the session begins
PERIODS = {"MORNING": (time(6), time(12)), "EVENING": (time(16), time(22))}
SLOTS_LONGEST_LIST = timedelta(days=31)  # what the public may ask for at once
COMPLETE_AFTER = env.duration("COMPLETE_AFTER", "a session counts as held this long after its end", default="30m")
ROOM_OPENS_BEFORE = env.duration(
    "ROOM_OPENS_BEFORE", "an online session's own room opens this long before", default="15m"
)
ROOM_CLOSES_AFTER = env.duration("ROOM_CLOSES_AFTER", "and admits nobody from so long after its end", default="15m")
REMIND_FIRST = env.duration("REMIND_FIRST", "first session reminder, before the start", default="24h")
REMIND_LAST = env.duration("REMIND_LAST", "last session reminder, before the start", default="1h")

# -- second thoughts at the desk --------------------------------------------------------------------------------------
UNDO_WINDOW = env.duration(
    "UNDO_WINDOW",
    "how long the mails and refunds of a decision at the desk wait, so that it can be undone; 0s: they leave at once",
    default="60s",
)
UNDO_NOT_WITHIN = timedelta(hours=2)  # of the session: then a minute matters more than a slip

# -- cancelling -------------------------------------------------------------------------------------------------------
CANCEL_NOTICE = env.duration(
    "CANCEL_NOTICE", "a visitor can cancel in time, or move the session, until this long before", default="24h"
)
MOVES_BY_VISITOR = env.integer("MOVES_BY_VISITOR", "how often a visitor can move a session", default=2)
CANCEL_LINK_LIFETIME = env.duration("CANCEL_LINK_LIFETIME", "how long a cancellation waits for its proof", default="1h")
CANCEL_LINKS_PER_HOUR = env.integer("CANCEL_LINKS_PER_HOUR", "cancellation links a booking gets, an hour", default=3)
REFUND_ON_VISITOR_CANCELLATION = env.choice(
    "REFUND_ON_VISITOR_CANCELLATION",
    "what a visitor who cancels in time gets back; the site's accepted policy is none",
    ("none", "full"),
    default="none",
)

# -- the visitor's choice ---------------------------------------------------------------------------------------------
CHOOSE_WITHIN = env.duration(
    "CHOOSE_WITHIN",
    "how long a visitor may choose another time for a session that the practice cannot hold",
    default="48h",
)
CHOOSE_BEFORE_SLOT = env.duration(
    "CHOOSE_BEFORE_SLOT",
    "the choice ends this long before the session, so that nobody sets out for one that is then cancelled",
    default="2h",
)
CHOOSE_AT_LEAST = env.duration(
    "CHOOSE_AT_LEAST", "who would have less time than this to choose is not asked: a mail may lie so long", default="4h"
)

# -- after the end ----------------------------------------------------------------------------------------------------
LINK_KEPT_AFTER_CLOSE = env.duration(
    "LINK_KEPT_AFTER_CLOSE", "the booking link stays readable this long after the booking closed", default="30d"
)
ARRIVAL_OPENS = timedelta(minutes=30)  # before the session: clients come early, and the desk notes it as they do
OUTCOME_OPEN_FOR = env.duration("OUTCOME_OPEN_FOR", "how long staff record or correct an outcome", default="7d")
DATA_LINK_LIFETIME = env.duration(
    "DATA_LINK_LIFETIME", "how long a mailed link shows a person all that is kept of them", default="24h"
)
DATA_REQUEST_WITHIN = env.duration(
    "DATA_REQUEST_WITHIN", "until when a person has an answer who asks something about their data", default="90d"
)
DATA_REQUEST_PRESSES = timedelta(days=14)  # who has no answer this long before the deadline needs somebody to look
ERASURE_AFTER = env.duration("ERASURE_AFTER", "how long a proved wish to be erased can still be stopped", default="7d")
ERASURE_LINK_LIFETIME = 2 * SLOT_HORIZON  # it stops what waits for the furthest session, and then shows the answer
ERASURE_LOOKS_AGAIN = timedelta(hours=1)  # after the end of the booking that an erasure waits for
UNPAID_HOLDS_ERASURE = timedelta(days=14)  # after a session that is owed at the practice; the money is still asked for
BACKUPS_KEPT = env.duration(
    "BACKUPS_KEPT",
    "how long a backup is kept: `backup expire` deletes older ones, and the answer to an erasure names the last day",
    default="30d",
    may_be_zero=False,
)
RETENTION = retention.RULES  # how long what is about people is kept, and which timer ends it

# -- people -----------------------------------------------------------------------------------------------------------
MINIMUM_AGE = env.integer("MINIMUM_AGE", "youngest age a request may state; the site's form promises it", default=13)
ADULT_AGE = 18  # years; below it approval needs the guardian's consent (Indian Majority Act, 1875)

# -- reminders --------------------------------------------------------------------------------------------------------
QUIET_HOURS = env.hours_of_day(
    "QUIET_HOURS",
    "practice's time in which visitors are reminded of nothing but their session; none: at any time",
    default="21:00-07:00",
)
QUIET_MARGIN = timedelta(minutes=1)  # what is moved before the quiet hours has left by then

# -- limits on what a stranger can trigger: per client, per mailbox, and for all together last -------------------------
STRANGER_REQUESTS_PER_HOUR = env.integer(
    "STRANGER_REQUESTS_PER_HOUR",
    "requests one client may send that cause a mail, an hour; an office or a mobile network may be one client",
    default=30,
)
STRANGER_MAILS_PER_HOUR = env.integer(
    "STRANGER_MAILS_PER_HOUR", "mails strangers can cause to one mailbox, an hour", default=3
)
STRANGER_MAILS_PER_DAY = env.integer(
    "STRANGER_MAILS_PER_DAY", "mails strangers can cause to one mailbox, a day", default=5
)
STAFF_MAILS_PER_HOUR = env.integer(
    "STAFF_MAILS_PER_HOUR",
    "mails strangers can cause to an inbox of staff, an hour; what more comes stands on the desk",
    default=30,
)
STAFF_MAILS_PER_DAY = env.integer(
    "STAFF_MAILS_PER_DAY", "mails strangers can cause to an inbox of staff, a day", default=200
)
ENQUIRIES_PER_HOUR = env.integer(
    "ENQUIRIES_PER_HOUR", "enquiries taken from one client, an hour; the site's server is one", default=60
)
ENQUIRIES_ALL = env.integer("ENQUIRIES_ALL", "enquiries taken from all clients together, an hour", default=600)

# -- look-ups by id ---------------------------------------------------------------------------------------------------
LOOKUP_MISSES_PER_HOUR = env.integer(
    "LOOKUP_MISSES_PER_HOUR", "unknown ids one client may try, an hour", default=30, minimum=1
)
LOOKUP_MISSES_ALL = env.integer("LOOKUP_MISSES_ALL", "unknown ids all clients together may try, an hour", default=2000)

# -- requests that carry a key ----------------------------------------------------------------------------------------
KEY_LEASE = env.duration(
    "KEY_LEASE",
    "how long an Idempotency-Key is held for a request that gives no answer; longer than the web server lets one take",
    default="90s",
    may_be_zero=False,
)

SWEEP_BATCH = 300  # bookings of one transaction of a sweep; what one waits for at most, some tenths of a second
SWEEP_BATCH_OF_ONE_WRITER = 25  # on SQLite, where everybody who writes waits meanwhile: below 100 ms


def pay_by(approved_at: datetime, slot_start: datetime) -> datetime:
    """When payment is due: min(PAY_WITHIN after approval, max(slot - PAY_BEFORE_SLOT, half of the time left))."""
    half_way = approved_at + (slot_start - approved_at) / 2
    return min(approved_at + PAY_WITHIN, max(slot_start - PAY_BEFORE_SLOT, half_way))


def follow_up_pay_by(approved_at: datetime, slot_start: datetime) -> datetime:
    """When a session booked from the last one is to be paid: nobody pays a series of weeks within a day."""
    return max(pay_by(approved_at, slot_start), slot_start - FOLLOW_UP_PAY_BEFORE)


def payment_reminder(approved_at: datetime, pay_by_at: datetime) -> datetime:
    """When a visitor who has not paid is reminded: at half time, and at most half of PAY_WITHIN before the end."""
    at = max(half_time(approved_at, pay_by_at), pay_by_at - PAY_WITHIN / 2)
    return outside_quiet_hours(at, deadline=pay_by_at, now=approved_at)


def draft_reminder(now: datetime) -> datetime:
    """When whoever has not proved the address is reminded."""
    return outside_quiet_hours(now + DRAFT_REMINDER_AFTER, deadline=now + DRAFT_LIFETIME, now=now)


def outside_quiet_hours(at: datetime, *, deadline: datetime, now: datetime) -> datetime:
    """When to remind a visitor of something due by `deadline`: at the end of QUIET_HOURS, if they hold `at`.

    Before their start, if more than half of the time left would pass meanwhile; `at` itself where that start is past.
    """
    if QUIET_HOURS is None:
        return at
    starts, ends = QUIET_HOURS
    day = at.astimezone(practice_zone()).date()
    for evening in (day - timedelta(days=1), day):
        begin = datetime.combine(evening, starts, tzinfo=practice_zone())
        end = datetime.combine(evening + timedelta(days=ends <= starts), ends, tzinfo=practice_zone())
        if begin - QUIET_MARGIN < at < end:
            before = begin - QUIET_MARGIN if begin - QUIET_MARGIN >= now else at
            return (end if 2 * (end - at) <= deadline - at else before).astimezone(UTC)
    return at


def payment_deadline(pay_by_at: datetime, slot_start: datetime) -> datetime:
    """`pay_by` plus the grace we do not announce, never after the slot starts."""
    return min(pay_by_at + PAY_GRACE, slot_start)


def attempt_deadline(started_at: datetime, pay_by_at: datetime, slot_start: datetime) -> datetime:
    """The earlier of the attempt's lifetime and `pay_by`, plus grace, never after the slot starts."""
    return min(min(started_at + ATTEMPT_LIFETIME, pay_by_at) + PAY_GRACE, slot_start)


def refund_asked_again(queued_at: datetime, now: datetime) -> datetime:
    """When to look at a pending refund again: as long as it has been owed, so twice as late each time, and bounded."""
    wait = min(max(now - queued_at, REFUND_ASKED_AFTER_LEAST), REFUND_ASKED_AFTER_MOST)
    deadline = queued_at + REFUND_ASKED_FOR
    return min(now + wait, deadline) if deadline > now else now + wait


def undo_until(now: datetime, slot_start: datetime | None) -> datetime | None:
    """The end of the time in which a decision at the desk can be undone; None: its mails leave at once."""
    is_near = slot_start is not None and slot_start - now <= UNDO_NOT_WITHIN
    return None if is_near or not UNDO_WINDOW else now + UNDO_WINDOW


def choose_by(now: datetime, slot_start: datetime) -> datetime | None:
    """The end of a choice offered `now`, before the session starts; None: too little time is left to choose."""
    ends_at = min(now + CHOOSE_WITHIN, slot_start - CHOOSE_BEFORE_SLOT)
    return ends_at if ends_at - now >= CHOOSE_AT_LEAST else None


def choice_reminder(now: datetime, ends_at: datetime) -> datetime:
    """When a visitor who was asked `now` to choose another time is reminded: at half time."""
    return outside_quiet_hours(half_time(now, ends_at), deadline=ends_at, now=now)


def completion(slot_end: datetime) -> datetime:
    """When a confirmed session counts as held."""
    return slot_end + COMPLETE_AFTER


def half_time(start: datetime, end: datetime) -> datetime:
    """The middle, where a waiting person is reminded."""
    return start + (end - start) / 2


# of an instant: when its local day ends, and whether that day is closed
OpenDays: TypeAlias = Callable[[datetime], tuple[datetime, bool]]


def open_time_after(start: datetime, span: timedelta, day_at: OpenDays) -> datetime:
    """`start` plus `span` of time on open days.

    A practice closed for two years on end is misconfigured; the walk stops there rather than never.
    """
    at, left, horizon = start, span, start + timedelta(days=730)
    while at < horizon:
        day_ends_at, is_closed = day_at(at)
        if not is_closed:
            if at + left <= day_ends_at:
                return at + left
            left -= day_ends_at - at
        at = day_ends_at
    return horizon
