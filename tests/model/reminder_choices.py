"""By which channel people want to be reminded: chosen by a mailed link, told to staff, ended by a message."""

from __future__ import annotations

from django.test import override_settings
from hypothesis import strategies as st

from backend.bookings import links
from backend.bookings.lifecycle import reminder_choice
from backend.core.errors import Code
from tests.model.snapshot import Row, Snapshot
from tests.model.world import DESK, WHICH, Result, World, action

OFFERED = ("email", "whatsapp", "sms")
CHOICE = st.sampled_from([*OFFERED, "custom"])
# offered while somebody chooses: no reminder of the model is sent to a telephone
CONFIGURED = override_settings(WHATSAPP_TOKEN="of the model", MSG91_AUTH_KEY="of the model")


class ReminderChoices(World):
    """A person has one choice, or none; nothing else moves with it."""

    @action(needs="data", times=2, which=WHICH, choice=CHOICE)
    def choose_reminders(self, which: int, choice: str) -> None:
        link = self.one_of(self.seen.data, which, lambda link: link.expires_at > self.now)
        client_id = self.seen.bookings[link.booking_id].client_id
        obstacles = {Code.LINK_UNKNOWN} if client_id is None else set()
        if link.expires_at <= self.now:
            obstacles.add(Code.LINK_EXPIRED)
        phone = self.seen.clients[client_id].phone_number if client_id is not None else ""
        token = links.token_of(link.message_uuid, link.purpose)
        with CONFIGURED:
            did = self.do(reminder_choice.choose_reminders, token, choice)
        self._chose(did, client_id, choice, phone, obstacles)

    @action(needs="bookings", times=2, which=WHICH, choice=CHOICE)
    def tell_staff_how_to_remind(self, which: int, choice: str) -> None:
        was = self.booking(which)
        obstacles = {Code.BOOKING_UNKNOWN} if was.client_id is None else set()
        with CONFIGURED:
            did = self.do(reminder_choice.record_reminders, was.id, choice, **DESK)
        self._chose(did, was.client_id, choice, was.phone_number, obstacles)

    @action(needs="consents", which=WHICH)
    def stop_texts(self, which: int) -> None:
        number = self.one_of(self.seen.consents.values(), which, _stands).phone_number
        did = self.do(reminder_choice.stop_texts, number).went_well()
        meant = [row.id for row in did.before.consents.values() if _stands(row) and row.phone_number == number]
        ended = [row.id for row in did.after.consents.values() if did.before.consents[row.id] != row]
        assert (ended, did.answer, did.changed) == (meant, bool(meant), bool(meant))
        assert not any(_stands(row) for row in did.after.consents.values() if row.phone_number == number)

    def _chose(self, did: Result, client_id: int | None, choice: str, phone: str, obstacles: set[Code]) -> None:
        if choice not in OFFERED:
            obstacles = {*obstacles, Code.CHANNEL_UNAVAILABLE}
        elif choice != "email" and not phone:
            obstacles = {*obstacles, Code.PHONE_REQUIRED}
        did.met(obstacles)
        if did.code is not None:
            return
        assert _chosen(did.after, client_id) == (None if choice == "email" else (choice, phone))
        assert did.answer == did.changed == (_chosen(did.before, client_id) != _chosen(did.after, client_id))
        for name in ("clients", "bookings", "ledger", "messages", "links"):
            assert getattr(did.before, name) == getattr(did.after, name), f"{name} changed with it"


def _chosen(seen: Snapshot, client_id: int | None) -> tuple[str, str] | None:
    found = [row for row in seen.consents.values() if row.client_id == client_id and _stands(row)]
    assert len(found) <= 1, f"two channels for one purpose: {found}"
    return (found[0].channel, found[0].phone_number) if found else None


def _stands(consent: Row) -> bool:
    return consent.withdrawn_at is None
