"""Finding bookings by what somebody at the desk knows of them: id, name, address or telephone number."""

from __future__ import annotations

from django.db.models import Q, Value
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import GreaterThan

from backend.bookings.access import NONE, AccessPolicy
from backend.bookings.models import Booking
from backend.bookings.queries import normalize_acknowledgement_id
from backend.people import addresses, phones

LETTERS = 3  # that PostgreSQL's index of words needs of each


def matching(text: str, access: AccessPolicy) -> Q:
    """Bookings of this id; else those in which every word stands, in name, address or telephone number.

    A number that the asker sees masked is found by the whole of it alone, so that nobody can guess it digit by digit.

    The words are looked for by themselves, so that an index answers: `booking_words` on PostgreSQL, of three letters
    each; on SQLite `booking_search`, which holds all that is read and is a tenth of the table.
    """
    acknowledgement_id = normalize_acknowledgement_id(text) or normalize_acknowledgement_id(f"MS-{text.strip()}")
    if acknowledgement_id and text.strip().upper().startswith("MS-"):
        return Q(acknowledgement_id=acknowledgement_id)
    found = Booking.objects.order_by()
    for word in [text.strip()] if phones.sought(text) else text.split():  # a number may be written in groups
        found = found.filter(_stands_in(word, access))
    words = Q(pk__in=found.values("pk"))
    return words | Q(acknowledgement_id=acknowledgement_id) if acknowledgement_id else words


def _stands_in(word: str, access: AccessPolicy) -> Q:
    return Q(full_name__icontains=word) | _address(_as_kept(word)) | _number(word, access)


def _address(word: str) -> Q:
    """An address is looked for by what stands before its @. Thousands share the rest, which is only compared."""
    whole, (name, at, _) = Q(email__icontains=word), word.partition("@")
    if not at or len(name) < LETTERS:
        return whole
    return Q(email__icontains=name + at) & Q(GreaterThan(StrIndex(Upper("email"), Upper(Value(word))), 0))


def _number(word: str, access: AccessPolicy) -> Q:
    """Rows whose number holds these digits; the whole of it, where the asker sees it masked. Each scan counts."""
    digits = phones.sought(word)
    if access.sees_phones:
        return Q(phone_number__icontains=digits) if digits else NONE
    try:
        number = phones.canonical(word)
    except ValueError:
        return NONE
    return Q(phone_number=number, phone_number__icontains=number)  # the second is what `booking_words` answers


def _as_kept(word: str) -> str:
    """A whole address in other letters as the column holds it; any other word as it is."""
    try:
        return addresses.canonical(word)
    except ValueError:
        return word
