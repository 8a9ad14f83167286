"""What a person asks about their data, by mailed links or by telling staff: to correct, to withdraw, to be erased."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from backend.api.links.data_forms import CorrectionRequest
from backend.bookings import links
from backend.bookings.lifecycle import corrections, erasure, erasure_requests, visitor, withdrawal
from backend.core.errors import Code
from tests.model.erasures import STOPPABLE_FOR, is_open, waits_for
from tests.model.invariants import ACTIVE
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, Result, World, action

ANSWERS = {
    "full_name": "Asha Rao-Sen",
    "phone_number": "+919811111111",
    "city": "Nagpur",
    "region": "Vidarbha",
    "country": "India",
    "gender": "OTHER",
    "emergency_contact": "Mira Sen 9811111112",
}
# what intake refuses
WRONG = st.sampled_from(
    [None, None, ("full_name", ""), ("phone_number", "12"), ("city", " "), ("gender", "NONE"), ("full_name", "A" * 999)]
)
FRESH = st.sampled_from([True, True, False])


class DataRequests(World):
    """Each row that such an act must not touch is compared."""

    @action(needs="clients", which=WHICH, fresh=FRESH)
    def ask_to_be_erased(self, which: int, fresh: bool) -> None:
        self._ask(which, fresh)

    def _ask(self, which: int, fresh: bool) -> list[Row]:
        """The links that were mailed for it."""
        link = self._data_link(which, fresh)
        if link is None:
            return []
        did = self.do(erasure_requests.ask_erasure, _token(link)).met(self._obstacles(link))
        if did.code is None:
            client_id = self.seen.bookings[link.booking_id].client_id
            assert did.changed != bool(self._wish_of(did, client_id)), "asked twice"
            assert did.before.bookings == did.after.bookings, "erased before it was proved"
        return [found for found in did.after.erasure if found.id not in did.before.links]

    @action(needs="clients", times=2, which=WHICH, at_once=st.booleans())
    def prove_erasure(self, which: int, at_once: bool) -> None:
        """Who reads mail at once proves it in time; others open the link whenever they find it."""
        for link in self._ask(which, fresh=True) if at_once else self.seen.erasure[-1:]:
            self._prove_by(link)

    def _prove_by(self, link: Row) -> None:
        was = self._request_of(link)
        did = self.do(erasure_requests.prove_erasure, _token(link))
        if was.state == "asked" and was.client_id is not None:
            did.met({Code.LINK_EXPIRED} if was.due_at <= self.now else set())
            if did.code is None:
                self._waits(did.after.requests[was.id])
        else:
            assert not did.went_well().changed, f"proved what is over: {was}"

    @action(needs="erasure", times=2, which=WHICH)
    def stop_erasure(self, which: int) -> None:
        waits = lambda link: self._request_of(link).state == "waiting"  # noqa: E731
        link = self.one_of(self.seen.erasure, which, waits)
        was = self._request_of(link)
        did = self.do(erasure_requests.stop_erasure, _token(link)).went_well()
        self._stopped(did, [was] if was.closed_at is None else [])

    @action(needs="clients", which=WHICH)
    def tell_staff_to_erase(self, which: int) -> None:
        client = self._person(which)
        did = self.do(erasure_requests.record_erasure, client.id, **DESK)
        if not any(booking.client_id == client.id for booking in did.before.bookings.values()):
            did.was_refused(Code.BOOKING_UNKNOWN)
            return
        waits = [request for request in self._wish_of(did, client.id) if request.state == "waiting"]
        assert did.went_well().changed != bool(waits), "begun twice"
        if did.changed:
            self._waits(did.after.requests[did.answer.pk])

    @action(needs="open_requests", which=WHICH)
    def tell_staff_to_stop(self, which: int) -> None:
        was = self.one_of(self.seen.open_requests, which, lambda request: request.client_id is not None)
        if was.client_id is not None:
            self._tell_to_stop(was)

    def _tell_to_stop(self, was: Row) -> None:
        self._stopped(self.do(erasure_requests.stop_recorded, was.client_id).went_well(), [was])

    @action(needs="open_requests", which=WHICH, seconds=st.sampled_from([0, -1, 1]))
    def reach_the_day(self, which: int, seconds: int) -> None:
        """Of an erasure, just before it, or just after."""
        was = self.one_of(self.seen.open_requests, which, lambda request: request.state == "waiting")
        self.now = max(self.now, was.due_at + timedelta(seconds=seconds))
        self._carry_out(was)

    @action(needs="clients", times=2, which=WHICH, stops=st.sampled_from([False, False, True]))
    def be_erased(self, which: int, stops: bool) -> None:
        """Mostly somebody who has nothing open; they wait for the day, or change their mind."""
        client = self._person(which)
        self.do(erasure_requests.record_erasure, client.id, **DESK)
        for was in [request for request in self.seen.open_requests if request.client_id == client.id]:
            self.now = max(self.now, was.due_at - timedelta(seconds=stops))
            if stops:
                self._tell_to_stop(was)
            self._carry_out(self.seen.requests[was.id])

    @action(needs="clients", times=3, which=WHICH, fresh=FRESH, wrong=WRONG)
    def correct(self, which: int, fresh: bool, wrong: tuple[str, str] | None) -> None:
        """The door asks what intake asks; then the person's own rows say so, and no other."""
        link = self._data_link(which, fresh)
        answers = CorrectionRequest(data=ANSWERS | dict([wrong] if wrong else []))
        assert answers.is_valid() == (wrong is None), f"intake judges {wrong} otherwise: {answers.errors}"
        if link is None or wrong is not None:
            return
        did = self.do(corrections.correct, _token(link), answers.validated_data).met(self._obstacles(link))
        if did.code is None:
            self._changed_own(did, self.seen.bookings[link.booking_id].client_id, ANSWERS, told="data_corrected")
            assert did.after.clients == _with(did.before.clients, did.answer.client_id, ANSWERS), (
                "another client changed"
            )

    @action(needs="clients", which=WHICH, fresh=FRESH, keeps=st.booleans())
    def withdraw(self, which: int, fresh: bool, keeps: bool) -> None:
        """Bookings that are open stand, if the person says so; else nothing is done."""
        link = self._data_link(which, fresh)
        if link is None:
            return
        client_id = self.seen.bookings[link.booking_id].client_id
        has_open = any(b.client_id == client_id and b.state in ACTIVE for b in self.seen.bookings.values())
        did = self.do(withdrawal.withdraw, _token(link), keeps_bookings=keeps).met(self._obstacles(link))
        if did.code is None:
            assert did.answer == did.changed == (keeps or not has_open)
            if did.answer:
                self._changed_own(
                    did, client_id, {"consent_withdrawn_at": self.now}, told="consent_withdrawn", once=True
                )

    def _carry_out(self, was: Row) -> None:
        theirs = [b.id for b in self.seen.bookings.values() if b.client_id == was.client_id and was.client_id]
        did = self.do(erasure.carry_out, was.id).went_well()
        after = did.after.requests[was.id]
        if was.due_at is None or was.due_at > self.now:
            assert not did.changed, f"before its day, or after it was stopped: {was}"
        elif was.state == "waiting" and any(waits_for(did.before, id_, self.now) for id_ in theirs):
            assert (after.state, bool(after.waits_for)) == ("waiting", True), f"does not wait: {after}"
            assert after.due_at > self.now, f"to be looked at for ever: {after}"
        assert not self.do(erasure.carry_out, was.id).changed, "carried out twice"

    def _waits(self, request: Row) -> None:
        """For a week in which it can be stopped, and as long as a booking of theirs may."""
        assert request.state == "waiting"
        theirs = [b for b in self.seen.bookings.values() if b.client_id == request.client_id and b.state in ACTIVE]
        least = max([self.now + STOPPABLE_FOR, *(booking.due_at for booking in theirs)])
        assert request.due_at >= least, f"cannot be stopped for a week: {request}"

    def _stopped(self, did: Result, requests: list[Row]) -> None:
        """Everything stays."""
        for was in requests:
            assert did.after.requests[was.id].state == "stopped", f"goes on: {was}"
        assert did.changed == bool(requests)
        for name in ("clients", "bookings", "links"):
            assert getattr(did.before, name) == getattr(did.after, name), f"{name} changed, although it was stopped"
        assert _told_only(did) <= {"erasure_stopped"}, "told more than that it was stopped"

    def _changed_own(
        self, did: Result, client_id: int, values: dict[str, object], *, told: str, once: bool = False
    ) -> None:
        """And they are told that it was done, if anything was."""
        expected = did.before.bookings
        for booking in did.before.bookings.values():
            if booking.client_id == client_id and not (once and booking.consent_withdrawn_at):
                expected = _with(expected, booking.id, values)
        assert did.after.bookings == expected, "more or less than their own was changed"
        for name in ("ledger", "claims", "links", "payments", "refunds"):
            assert getattr(did.before, name) == getattr(did.after, name), f"{name} changed with it"
        is_new = (did.before.bookings, did.before.clients) != (did.after.bookings, did.after.clients)
        assert _told_only(did) == ({told} if is_new else set()), f"is_new: {is_new}, and told otherwise"

    def _person(self, which: int) -> Row:
        """Mostly one who has nothing open."""
        bookings = self.seen.bookings.values()

        def is_through(client: Row) -> bool:
            theirs = [booking.id for booking in bookings if booking.client_id == client.id]
            return bool(theirs) and not any(is_open(self.seen, id_) for id_ in theirs)

        return self.one_of(self.seen.clients.values(), which, is_through)

    def _data_link(self, which: int, fresh: bool) -> Row | None:
        """One that the person asks for and reads at once, or any; None: there is none, or they ask too often."""
        if not fresh:
            found = self.seen.data
            return self.one_of(found, which, lambda link: link.expires_at > self.now) if found else None
        client = self.one_of(self.seen.clients.values(), which, lambda client: client.email != "")
        did = self.do(visitor.request_link, client.email).went_well()
        return next((link for link in did.after.data if link.id not in did.before.links), None)

    def _obstacles(self, link: Row) -> set[Code]:
        if link.expires_at <= self.now:
            return {Code.LINK_EXPIRED}
        return {Code.LINK_UNKNOWN} if self.seen.bookings[link.booking_id].client_id is None else set()

    def _request_of(self, link: Row) -> Row:
        mail = next(m for m in self.seen.messages.values() if m.uuid == link.message_uuid)
        return self.seen.requests[mail.subject_id or 0]

    @staticmethod
    def _wish_of(did: Result, client_id: int) -> list[Row]:
        return [request for request in did.before.open_requests if request.client_id == client_id]


def _token(link: Row) -> str:
    return links.token_of(link.message_uuid, link.purpose)


def _told_only(did: Result) -> set[str]:
    """What was mailed; what was owed before stays as it is."""
    before, after = did.before.messages, did.after.messages
    assert {id_: row for id_, row in after.items() if id_ in before} == before, "changed what is owed"
    return {row.kind for id_, row in after.items() if id_ not in before}


def _with(rows: dict[int, Row], id_: int, values: dict[str, object]) -> dict[int, Row]:
    return {**rows, id_: Row(**{**vars(rows[id_]), **values})}
