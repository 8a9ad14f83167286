"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

from time import process_time

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from config import settings as product

pytestmark = pytest.mark.sqlite_only


COMMON = (
    *("qwertyqwerty", "123456123456", "Monkey-Dragon", "administrator77", "zaxzaxzaxzax", "abcdefghijklm"),
    *("password sunshine monkey", "dragon princess flower", "Sunshine1Monkey2", "P@ssw0rd-M0nkey", "MindSettler2026"),
)
TAKEN = (
    *("quiet river bank", "829104756312", "zzyzxabcdefgq", "correct horse battery", "नदी के किनारे पेड़"),
    *("master killer shadow summer", "horse battery staple correct"),  # four common words, and not the most common
)


@pytest.mark.parametrize("refused", ["elevenchars", "Charlotte2024", *COMMON])
def test_a_password_is_long_and_not_common_and_may_be_of_any_characters(refused: str) -> None:
    account = User(username="charlotte2024", first_name="Charlotte")
    with pytest.raises(ValidationError):
        validate_password(refused, account)
    for taken in TAKEN:
        validate_password(taken, account)


def test_a_long_one_is_judged_in_no_time() -> None:
    began = process_time()
    validate_password("1234" * 1000 + "q")
    with pytest.raises(ValidationError):
        validate_password("passwordmonkey" * 3 + "1")
    assert process_time() - began < 2


def test_it_is_kept_as_argon2id(settings) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    kept = make_password("quiet river bank")
    assert kept.startswith("argon2$argon2id$")
    assert identify_hasher(kept).algorithm == "argon2"
