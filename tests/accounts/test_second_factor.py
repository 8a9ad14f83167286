"""What an account proves itself with beside its password: codes of an app, recovery codes, and their end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from backend.accounts import enrolment, second_factor
from backend.accounts.models import STEP, Authenticator, EnrolmentLink, RecoveryCode
from tests.support import factor
from tests.support.factor import App
from tests.support.gateway import until

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


@pytest.fixture
def account() -> User:
    return User.objects.create_user("asha", is_staff=True)


@pytest.fixture
def app(account: User, clock: time_machine.Traveller) -> App:
    return factor.app_of(account)


def test_a_code_opens_once(account: User, app: App, now: datetime) -> None:
    code = app.code_at(now.timestamp())
    assert second_factor.check_code(account, code)
    assert not second_factor.check_code(account, code)


def test_a_code_before_the_last_one_opens_nothing(account: User, app: App, now: datetime) -> None:
    assert second_factor.check_code(account, app.code_at(now.timestamp()))
    assert not second_factor.check_code(account, app.code_at(now.timestamp() - STEP))


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(account: User, app: App, now: datetime, steps: int, is_taken: bool) -> None:
    assert second_factor.check_code(account, app.code_at(now.timestamp() + steps * STEP)) == is_taken


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12a456", "１２３４５６", "-12345", "0x1234"])
def test_what_is_no_code_is_wrong_and_breaks_nothing(account: User, app: App, typed: str) -> None:
    assert not second_factor.check_code(account, typed)


def test_another_accounts_code_is_wrong(account: User, app: App, now: datetime) -> None:
    other = factor.app_of(User.objects.create_user("ravi"))
    assert not second_factor.check_code(account, other.code_at(now.timestamp()))


def test_wrong_codes_slow_down_and_never_lock_out(
    account: User, app: App, now: datetime, clock: time_machine.Traveller
) -> None:
    for failures in range(1, 15):
        assert not second_factor.check_code(account, "000000")
        until = second_factor.slowed_until(account)
        assert until == timezone.now() + timedelta(seconds=2 ** (min(failures, 10) - 1))
        assert not second_factor.check_code(account, app.code_at(timezone.now().timestamp()))  # too soon
        clock.move_to(until)
    assert second_factor.check_code(account, app.code_at(timezone.now().timestamp()))
    assert second_factor.slowed_until(account) is None


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_two_who_show_one_code_at_once_one_comes_in() -> None:
    asha = User.objects.create_user("asha")
    code = factor.app_of(asha).code()

    def show() -> bool:
        try:
            return second_factor.check_code(asha, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Authenticator.objects.select_for_update().get(user=asha)
            shown = [pool.submit(show) for _ in range(2)]
            until(lambda: waiting() == 2)  # both have come as far as they can
        assert sorted(one.result() for one in shown) == [False, True]


def waiting() -> int:
    """Connections that wait for a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


def test_the_secret_is_encrypted_in_the_database(app: App) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Authenticator._meta.db_table}")
        assert app.secret not in str(cursor.fetchall())


def test_an_app_counts_when_it_has_shown_a_code_and_replaces_the_one_before(
    account: User, app: App, now: datetime
) -> None:
    made = second_factor.begin_app(account)
    assert second_factor.begin_app(account).secret == made.secret
    new = App(made.secret)
    assert not second_factor.check_code(account, new.code_at(now.timestamp()))
    Authenticator.objects.update(throttling_failure_count=0)
    assert not second_factor.confirm_app(account, "000000")
    Authenticator.objects.update(throttling_failure_count=0)
    assert second_factor.confirm_app(account, new.code_at(now.timestamp()))
    assert Authenticator.objects.get().secret == made.secret
    assert not second_factor.check_code(account, new.code_at(now.timestamp()))  # it has shown that one


def test_a_recovery_code_opens_once_however_it_is_typed(account: User, now: datetime) -> None:
    codes = second_factor.new_recovery_codes(account)
    assert len(set(codes)) == second_factor.RECOVERY_CODES == second_factor.recovery_codes_left(account)
    typed = codes[0].lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert second_factor.use_recovery_code(account, typed, now=now)
    assert not second_factor.use_recovery_code(account, codes[0], now=now)
    assert second_factor.recovery_codes_left(account) == 9
    assert not second_factor.use_recovery_code(User.objects.create_user("ravi"), codes[1], now=now)


def test_new_recovery_codes_replace_those_before_and_none_is_stored(account: User, now: datetime) -> None:
    old = second_factor.new_recovery_codes(account)
    new = second_factor.new_recovery_codes(account)
    assert not second_factor.use_recovery_code(account, old[0], now=now)
    stored = str(list(RecoveryCode.objects.values()))
    assert not any(part in stored for code in new for part in (code, code.replace("-", "")))


def test_the_picture_holds_the_secret_and_who_it_is_for(account: User, settings) -> None:
    settings.PRACTICE_NAME = "Mind: Settler & Co"
    app = second_factor.begin_app(account)
    uri = second_factor.uri(app)
    assert uri.startswith("otpauth://totp/Mind%20Settler%20%26%20Co%3Aasha?")
    assert f"secret={app.secret}" in uri
    assert "issuer=Mind%20Settler%20%26%20Co" in uri


# -- the one-time link -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "is_good"), [(-1, True), (0, False), (1, False)])
def test_a_link_works_until_its_time(account: User, now: datetime, settings, late: int, is_good: bool) -> None:
    digest = enrolment.digest(enrolment.make_link(account, by="staff:owner", now=now))
    at = now + settings.ENROLMENT_LINK_LIFETIME + timedelta(seconds=late)
    assert (enrolment.account_of(digest, now=at) == account) == is_good


def test_a_link_is_told_once_used_once_and_replaced_by_a_newer_one(account: User, now: datetime) -> None:
    first = enrolment.make_link(account, by="staff:owner", now=now)
    second = enrolment.make_link(account, by="staff:owner", now=now)
    assert second not in str(list(EnrolmentLink.objects.values()))
    assert enrolment.account_of(enrolment.digest(first), now=now) is None
    digest = enrolment.digest(second)
    assert enrolment.account_of(digest, now=now) == account
    enrolment.spend(digest)
    assert enrolment.account_of(digest, now=now) is None


def test_a_closed_accounts_link_opens_nothing(account: User, now: datetime) -> None:
    digest = enrolment.digest(enrolment.make_link(account, by="staff:owner", now=now))
    User.objects.update(is_active=False)
    assert enrolment.account_of(digest, now=now) is None
