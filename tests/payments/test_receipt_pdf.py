"""The document of a receipt: the same bytes each time, and every script of India."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from backend.core import languages
from backend.payments import receipt_fonts, receipt_pdf
from backend.payments.models import Receipt
from tests.support import latin

NAMES = {
    "NotoSansDevanagari": "श्रीलक्ष्मी क्षीरसागर",
    "NotoSansBengali": "স্বাতী বন্দ্যোপাধ্যায়",
    "NotoSansGurmukhi": "ਪ੍ਰੀਤਮ ਸਿੰਘ",
    "NotoSansGujarati": "જ્ઞાનેશ્વર પટેલ",
    "NotoSansOriya": "ଶ୍ରୀକୃଷ୍ଣ ପଣ୍ଡା",
    "NotoSansTamil": "ஸ்ரீனிவாசன் கிருஷ்ணமூர்த்தி",
    "NotoSansTelugu": "శ్రీనివాస్ రెడ్డి",
    "NotoSansKannada": "ಶ್ರೀಧರ್ ಹೆಗ್ಡೆ",
    "NotoSansMalayalam": "ശ്രീജിത്ത് നമ്പ്യാർ",
    "NotoSansOlChiki": "ᱥᱟᱱᱛᱟᱲ",
    "NotoSansMeeteiMayek": "ꯃꯤꯇꯩ",
    "NotoNaskhArabic": "محمد علی",
}


def receipt(**changes: Any) -> Receipt:
    given = {
        "kind": "receipt", "number": "MS/26-27/000123", "at": datetime(2026, 12, 1, 20, 0, tzinfo=UTC),
        "person_name": "Asha Rao", "booking_reference": "MS-4K7Q2M", "description": "Session on 1 December 2026",
        "practice_name": "MindSettler", "practice_address": "12 Baner Road; Pune", "currency": "INR",
        "tax_mode": "registered", "tax_percent": 18, "gstin": "27AAPFU0939F1ZV", "sac": "999319",
        "place_of_supply": "27", "amount_paise": 15_000_000, "taxable_paise": 12_711_864, "cgst_paise": 1_144_068,
        "sgst_paise": 1_144_068,
    }  # fmt: skip
    return Receipt(**{**given, **changes})


def test_it_is_the_same_bytes_each_time_and_small() -> None:
    once, twice = (receipt_pdf.render(receipt()) for _ in range(2))
    assert once == twice
    assert len(once) < 40_000
    assert b"/CreationDate (D:20261201200000Z)" in once
    assert receipt_pdf.render(receipt(person_name="Asha Rau")) != once


@pytest.mark.parametrize(("font", "name"), NAMES.items())
def test_a_name_is_written_in_the_font_of_its_script_which_has_its_letters(font: str, name: str) -> None:
    pieces = list(receipt_fonts.runs(f"Dr. {name}"))
    assert "".join(text for _, text in pieces) == f"Dr. {name}"
    assert {font for font, _ in pieces} == {receipt_fonts.LATIN, font}
    for font, text in pieces:
        with TTFont(receipt_fonts.FOLDER / f"{font}.ttf") as known:
            assert set(map(ord, text)) <= set(known.getBestCmap())


@pytest.mark.parametrize("tax_mode", ["registered", "exempt"])
def test_a_font_cut_to_plain_letters_draws_the_same_bytes(monkeypatch: pytest.MonkeyPatch, tax_mode: str) -> None:
    given = receipt(tax_mode=tax_mode, person_name="Renée O’Brien – AVATAR fi 12", practice_name="“Wörter” ₹ To Va…")
    plain = receipt_pdf.render(given)
    monkeypatch.setattr(receipt_pdf, "smallest", lambda font, _text: font)
    assert receipt_pdf.render(given) == plain


def test_plain_fonts_have_the_letters_that_they_are_chosen_for() -> None:
    for font in (receipt_fonts.LATIN, receipt_fonts.BOLD):
        assert receipt_fonts.smallest(font, "Asha Rāo") == font
        with TTFont(receipt_fonts.FOLDER / f"{receipt_fonts.smallest(font, 'Asha')}.ttf") as known:
            letters = "".join(map(chr, known.getBestCmap()))
        assert receipt_fonts.smallest(font, letters) != font
        assert all(ord(letter) in known.getBestCmap() for letter in receipt_fonts._PLAIN)


def test_letters_of_one_word_stay_together() -> None:
    for word in ("क्\u200dष", "ন\u200dয", "ര\u200d"):
        assert len(list(receipt_fonts.runs(word))) == 1
    assert receipt_pdf.render(receipt(person_name="漢字 🙂"))  # no font of ours has these


def test_its_taxes_are_named_by_the_place_of_supply() -> None:
    named = [
        [name for name, _ in receipt_pdf.rows(receipt(place_of_supply=place, gstin=f"{here}AAPFU0939F1ZV"))]
        for here, place in (("27", "27"), ("27", "33"), ("04", "04"))
    ]
    assert named == [
        ["Value without tax", "CGST 9%", "SGST 9%"],
        ["Value without tax", "IGST 18%"],
        ["Value without tax", "CGST 9%", "UTGST 9%"],
    ]
    assert list(receipt_pdf.rows(receipt(tax_mode="exempt"))) == []


@pytest.mark.parametrize(
    ("changes", "title"),
    [({}, "Tax invoice"), ({"tax_mode": "exempt"}, "Bill of supply"), ({"kind": "credit_note"}, "Credit note")],
)
def test_it_is_called_what_the_law_calls_it(changes: dict[str, str], title: str) -> None:
    assert receipt_pdf.title(receipt(**changes)) == title


class Heard(receipt_pdf.Document):
    """It notes what it writes."""

    def pieces(self, text: str, size: float, font: str) -> Iterator[str]:
        self.__dict__.setdefault("texts", []).append(text)
        return super().pieces(text, size, font)


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "1 दिसंबर 2026 का सत्र; आंशिक भुगतान, ₹1,500.00 में से ₹500.00 शेष"},
        {"kind": "credit_note", "original": receipt(), "place_of_supply": "96"},
        {"kind": "credit_note", "original": receipt(), "refund_id": 1, "place_of_supply": "33"},
        {"tax_mode": "exempt", "place_of_supply": ""},
    ],
)
def test_no_english_is_left_in_one_in_hindi(changes: dict[str, Any]) -> None:
    given = {"language": "hi", "description": "1 दिसंबर 2026 का सत्र", **changes}
    with languages.of("hi"):
        heard = Heard(receipt(**given))
        heard.draw()
        heard.output()  # closes its fonts
    typed = ("MindSettler", "12 Baner Road", "Pune", "Asha Rao", "27AAPFU0939F1ZV", "CGST", "SGST", "IGST", "GSTIN")
    assert latin.words(" ".join(heard.__dict__["texts"]), *typed, "SAC") == []


def test_its_language_is_the_receipts_whoever_has_it_made() -> None:
    once = receipt_pdf.render(receipt(language="hi"))
    with languages.of("hi"):
        assert receipt_pdf.render(receipt(language="hi")) == once
        assert receipt_pdf.render(receipt(language="en")) != once
    assert b"/Lang (hi-IN)" in once


@pytest.mark.parametrize("name", ["MindSettler", "राशि"])
def test_an_amounts_head_stands_on_one_line_within_the_margin(name: str) -> None:
    pdf = receipt_pdf.Document(receipt())
    top = pdf.get_y()
    pdf.sum_row("x", name, font=receipt_fonts.BOLD)
    height = pdf.get_y() - top
    pdf.output()  # closes its fonts
    assert round(height, 2) == round(receipt_pdf.LINE * 1.3, 2)
