"""What each role may open, as a table in docs/roles.md that this test writes and checks.

`TEST_WRITE_DOCS=1` writes it; otherwise each role is held against its column.
"""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from backend.accounts.roles import Ability, Role, has_any_permission, mask_digits
from backend.audit.models import AccessRecord, Kind
from backend.bookings.models import LedgerEntry
from tests.support import api, roles, scenarios, staff_api
from tests.support.admin_site import list_url, logged_in, page_url
from tests.support.roles import COLUMNS, GRANTS, MIGRATION, OWNER, SECRET, WORDS, account
from tests.support.server import ROOT

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
DOCUMENT = ROOT / "docs" / "roles.md"
# an owner tries every address, and here each is tried by two roles more: a role asks for hundreds of pages. With
# TEST_WHOLE_TABLE=1, as in `make security`, every role tries every address
PARTS = 3
HEAD = """# Who sees and does what

Written and checked by `tests/accounts/test_roles.py`, which opens every address of the admin and of the staff API as
somebody of each role; `TEST_WRITE_DOCS=1` renews it. `yes`: it answers. `–`: it answers 404, as what does not exist
does. `own`, `unassigned` (requests without a psychologist): only such bookings. The rules are
`backend/accounts/roles.py` and `backend/bookings/access.py`; what a role holds at first,
`backend/people/migrations/0002_roles.py`. An account has one role; who has none sees an empty admin. An
owner is a superuser.

"""
OPEN = "## Open without an account (`dev/` with DEBUG alone)"


def table(first: str, names: list[str], columns: dict[str, dict[str, str]]) -> str:
    head = f"| {first} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}\n"
    return head + "".join(f"| {name} | {' | '.join(cells[name] for cells in columns.values())} |\n" for name in names)


def documented(role: str) -> dict[str, str]:
    """The column of the document, by row."""
    found, at = {}, 0
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")] if line.startswith("| ") else []
        if role in cells:
            at = cells.index(role)
        elif cells:
            found[cells[0]] = cells[at]
    return found


def written(cells: dict[str, dict[str, str]], words: dict[str, dict[str, str]]) -> str:
    names = list(cells[OWNER])
    pages = [name for name in names if name.startswith("admin/")]
    parts = (
        ("## What is read of a booking\n\n", table("What", list(WORDS), words)),
        ("## Pages of the admin\n\n", _coded(table("Page", pages, cells), pages)),
        ("## The staff API\n\n", _coded(table("Path", names[len(pages) :], cells), names[len(pages) :])),
    )
    public = "".join(f"- `{route or '/'}`\n" for route in roles.public_rows())
    return HEAD + "\n".join(title + text for title, text in parts) + f"\n{OPEN}\n\n" + public


def _coded(text: str, names: list[str]) -> str:
    for name in names:
        text = text.replace(f"| {name} |", f"| `{name}` |")
    return text


def columns(now: datetime, of) -> dict[str, dict[str, str]]:
    found = {}
    for role in COLUMNS:
        with transaction.atomic():
            found[role] = of(role, now)
            transaction.set_rollback(True)
    return found


@pytest.mark.skipif("TEST_WRITE_DOCS" not in os.environ, reason="writes the document")
@pytest.mark.timeout(900)
def test_write_the_document(now: datetime) -> None:
    DOCUMENT.write_text(written(columns(now, roles.column), columns(now, roles.words)))


@pytest.mark.timeout(600)  # some hundreds of pages
@pytest.mark.parametrize("role", COLUMNS)
def test_a_role_meets_at_every_address_what_the_table_says(role: str, now: datetime) -> None:
    met = roles.column(role, now, parts=1 if role == OWNER else PARTS)
    said = {name: cell for name, cell in documented(role).items() if name not in WORDS}
    expected = said if role == OWNER else {name: said[name] for name in met}
    assert met == expected, "docs/roles.md differs from what the pages answer; look at it, then renew it"


@pytest.mark.parametrize("role", COLUMNS)
def test_a_role_reads_of_a_booking_what_the_table_says(role: str, now: datetime) -> None:
    assert roles.words(role, now) == {name: documented(role)[name] for name in WORDS}


def test_every_public_address_is_listed() -> None:
    listed = DOCUMENT.read_text().partition(OPEN)[2].split()
    assert [f"`{route or '/'}`" for route in roles.public_rows()] == [word for word in listed if word != "-"]


# -- the groups --------------------------------------------------------------------------------------------------------


def test_the_migration_makes_each_role_and_only_with_permissions_that_exist() -> None:
    assert set(MIGRATION.GRANTS) == set(Role)
    for role in Role:
        account(role)
        group = Group.objects.get(name=role)
        labels = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}
        assert labels == GRANTS[role]


def test_every_ability_is_a_permission_that_a_superuser_has_and_a_stranger_has_not() -> None:
    from django.contrib.auth.models import Permission

    known = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert set(Ability) <= known
    owner = account(OWNER)
    assert all(has_any_permission(owner, ability) for ability in Ability)
    owner.is_active = False
    assert not any(has_any_permission(owner, ability) for ability in Ability)


# -- telephone numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [("9876543210", "•••••••210"), ("Vikram 98 765", "Vikram •• 765"), ("12", "12"), ("Vikram", "Vikram"), ("", "")],
)
def test_a_number_is_masked_but_for_its_last_three_digits(text: str, shown: str) -> None:
    assert mask_digits(text) == shown


def test_a_receptionist_is_shown_a_number_at_a_click_that_is_recorded(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    desk, before = logged_in(account(Role.RECEPTIONIST)), LedgerEntry.objects.count()
    page = desk.get(page_url(booking)).content.decode()
    assert "•••••••210" in page
    assert "9876543210" not in page + desk.get(list_url(type(booking))).content.decode()
    assert "9876500000" not in page
    url = f"/admin/bookings/booking/{booking.pk}/reveal-phone/"
    assert desk.get(url)["Location"] == page_url(booking)
    assert not AccessRecord.objects.filter(kind=Kind.REVEALED).exists()
    assert "9876543210" in desk.post(url).content.decode()
    row = AccessRecord.objects.get(kind=Kind.REVEALED)
    assert (row.subject_id, row.actor, row.at) == (booking.pk, "staff:receptionist", now)
    assert LedgerEntry.objects.count() == before  # a colleague's open form stays good


def test_through_the_api_a_number_is_masked_and_shown_in_the_same_way(now: datetime) -> None:
    booking = scenarios.pending(now=now, user_message=SECRET)
    user = account(Role.RECEPTIONIST)
    desk = staff_api.Desk(user, staff_api.token(user))
    whole = api.done(desk.get(f"{booking}/"))
    assert (whole["phone_number"], whole["emergency_contact"]) == ("•••••••210", "Vikram Rao •••••••000")
    assert whole["user_message"] is None
    shown = api.done(desk.post(f"{booking}/reveal-phone/"))
    assert shown == {"phone_number": "9876543210", "emergency_contact": "Vikram Rao 9876500000"}
    assert AccessRecord.objects.get(kind=Kind.REVEALED).actor == "staff:receptionist"


# -- psychologists -----------------------------------------------------------------------------------------------------


def test_a_psychologist_finds_only_their_own_bookings(now: datetime) -> None:
    made = roles.world(now)
    user = account(Role.PSYCHOLOGIST, who=made.mine)
    listed = logged_in(user).get(list_url(type(made.bookings["own"]))).context["cl"].result_list
    assert list(listed) == [made.bookings["own"]]
    desk = staff_api.Desk(user, staff_api.token(user))
    rows = api.done(desk.get())["bookings"]
    assert [row["acknowledgement_id"] for row in rows] == [str(made.bookings["own"])]
    api.error(desk.get(f"{made.bookings['unassigned']}/"), 404, "booking_unknown")


def test_what_duty_approved_for_another_leaves_their_sight(now: datetime) -> None:
    made = roles.world(now)
    user = account(Role.DUTY_PSYCHOLOGIST, who=made.mine)
    desk, booking = staff_api.Desk(user, staff_api.token(user)), made.bookings["unassigned"]
    slot = scenarios.slot_tomorrow(now, hour=8).isoformat()
    sent = {"psychologist_id": made.psychologists["others'"].pk, "slot_start": slot}
    assert api.done(desk.act(booking, "approve", sent))["status"] == "APPROVED"
    api.error(desk.get(f"{booking}/"), 404, "booking_unknown")


def test_an_account_without_a_role_sees_nothing(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    nobody = staff_api.account("nobody")
    assert logged_in(nobody).get("/admin/").status_code == 200
    assert logged_in(nobody).get(page_url(booking)).status_code == 404
    assert logged_in(nobody).get("/admin/bookings/").status_code == 404
