"""The asks of which the adapter's methods are made: each shares the time of its call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from django.utils import timezone

from backend.core.errors import Unreadable
from backend.core.outgoing.asking import Call
from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.gateway import Order, OrderReport, RefundOrder, RefundOrderState, RefundReport
from backend.payments.stripe.answers import Problem, read_answer, readable, require
from backend.payments.stripe.forms import Form, key, refund_form, session_form
from backend.payments.stripe.objects import read_refund, read_session, reference_of

# how far back a page is looked for whose id we never heard: none lives longer than a day
FOUND_FOR = timedelta(hours=25)
MOST = 50  # items of a page of a listing: an answer of a megabyte is read, and a session has 7 kB and more
Query = Mapping[str, str | int]
SESSIONS = ("v1", "checkout", "sessions")
OF_SESSION = "payment_intent.latest_charge.balance_transaction"  # what a session's report is read from

_NOT_REFUNDABLE = {"charge_already_refunded", "charge_disputed", "amount_too_large", "payment_intent_unexpected_state"}


def make_session(call: Call, order: Order, now: datetime) -> Fields | None:
    """The session of this order as it is now. None if one was begun with another body, as `expires_at` moves with
    the clock: it is to be looked for."""
    made = post(call, *SESSIONS, form=session_form(order, now), idempotency=order.reference)
    if isinstance(made, Problem) and made.is_other_content:
        return None
    with readable():
        session_id = require(made).id("id")
    return session_in_full(call, session_id)  # an ask that is repeated is answered as the first was, hours ago


def find_session(call: Call, reference: str, session_id: str) -> Fields | None:
    """A session by its id, or by our reference among those of the last day: on Indian accounts Stripe searches for
    nothing. https://docs.stripe.com/search"""
    if session_id:
        found = read_answer(call.ask("GET", *SESSIONS, session_id, query={"expand[]": OF_SESSION}))
        return None if isinstance(found, Problem) and found.is_unknown else require(found)
    query: Query = {"created[gte]": int((timezone.now() - FOUND_FOR).timestamp()), "limit": MOST}
    for session in listed(lambda: call, *SESSIONS, query=query):
        with readable():
            if reference_of(session) == reference:
                return session_in_full(call, session.id("id"))
    return None


def session_in_full(call: Call, session_id: str) -> Fields:
    """With its payment, charge and what was booked of it."""
    return require(read_answer(call.ask("GET", *SESSIONS, session_id, query={"expand[]": OF_SESSION})))


def report(session: Fields, about: str) -> OrderReport:
    """What a session says, which must be of the reference `about`. Raises Unreadable."""
    with readable():
        read = read_session(session)
    if read.reference != about:
        raise Unreadable("stripe: an answer about another reference")
    return read


def make_refund(call: Call, refund: RefundOrder) -> RefundReport:
    """REFUSED without an id if Stripe makes none, for too little was captured or is left of it."""
    made = post(call, "v1", "refunds", form=refund_form(refund), idempotency=refund.reference)
    if isinstance(made, Problem) and _says_that_too_little_is_left(made):
        return RefundReport(
            refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise, "too little is left of it"
        )
    with readable():
        return read_refund(require(made))


def refunds_of(call: Call, intent: str) -> list[RefundReport]:
    """Every refund of a payment, oldest first."""
    with readable():
        found = [read_refund(each) for each in listed(lambda: call, "v1", "refunds", query={"payment_intent": intent})]
    return found[::-1]


def post(call: Call, *path: str, form: Form | None = None, idempotency: str = "") -> Fields | Problem:
    """Change something; with a key, once."""
    return read_answer(call.ask("POST", *path, form=form or {}, headers=key(idempotency) if idempotency else None))


def listed(begin: Callable[[], Call], *path: str, query: Query) -> Iterator[Fields]:
    """Item by item, newest first, asked for page by page; `begin` gives the call of each."""
    items, mark = page(begin(), *path, query=query)
    yield from items
    while mark:
        items, mark = page(begin(), *path, query=query, after=mark)
        yield from items


def page(call: Call, *path: str, query: Query, after: str = "") -> tuple[list[Fields], str]:
    """The items that follow the one called `after`, and the last id among them if there are more."""
    start = {"starting_after": after} if after else {}
    answer = require(read_answer(call.ask("GET", *path, query={"limit": MOST, **query, **start})))
    with readable():
        items = answer.items("data")
        if answer.data.get("has_more") is not True:
            return items, ""
        names = [name for item in items if (name := item.name())]
        if not names:
            raise Malformed("data: nothing to go on from, and there is more")
        return items, names[-1]


def _says_that_too_little_is_left(problem: Problem) -> bool:
    is_of_sum = problem.code in _NOT_REFUNDABLE or problem.parameter == "amount"
    return problem.status == HTTPStatus.BAD_REQUEST and is_of_sum and not problem.is_other_content
