"""A receipt as a PDF: the same bytes for the same row on every machine, in a hand that each script's readers know."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.fonts import TTFFont

from backend.core import languages
from backend.core.formatting import long_day, money
from backend.payments import gst
from backend.payments.receipt_fonts import BOLD, FOLDER, LATIN, runs, smallest
from backend.payments.receipt_models import DocumentKind, Receipt
from backend.payments.tax import TaxMode

SIZE, SMALL, LARGE = 10.0, 8.5, 15.0  # points
LINE = 5.2  # millimetres
WIDTH = 170.0  # of an A4 page between its margins
SUMS = 45.0  # the column of sums
UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # for a letter that none of the fonts has


def render(receipt: Receipt) -> bytes:
    """The document, in the receipt's language. Its date is the receipt's."""
    with languages.of(languages.or_default(receipt.language)):
        pdf = Document(receipt)
        pdf.draw()
        return bytes(pdf.output())


def title(receipt: Receipt) -> str:
    """What the law calls it."""
    if receipt.kind == DocumentKind.CREDIT_NOTE:
        return _("Credit note")
    return _("Tax invoice") if receipt.tax_mode == TaxMode.REGISTERED else _("Bill of supply")


def rows(receipt: Receipt) -> Iterator[tuple[str, int]]:
    """What the sum is made of, in words."""
    if receipt.tax_mode == TaxMode.EXEMPT:
        return
    yield _("Value without tax"), receipt.taxable_paise
    half = f"{receipt.tax_percent / 2:g}%"
    if receipt.place_of_supply != receipt.gstin[:2]:
        yield f"IGST {receipt.tax_percent}%", receipt.igst_paise
        return
    state = "UTGST" if receipt.place_of_supply in gst.WITHOUT_LEGISLATURE else "SGST"
    yield f"CGST {half}", receipt.cgst_paise
    yield f"{state} {half}", receipt.sgst_paise


class Document(FPDF):
    """The page, from its top to its end."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(format="A4")
        self.receipt = receipt
        self.letters: dict[str, Container[int]] = {}  # by font
        self.set_margins(20, 20, 20)
        self.c_margin = 0
        self.set_title(receipt.number)
        self.set_lang(f"{languages.or_default(receipt.language)}-IN")
        self.set_creation_date(receipt.at)
        self.set_text_shaping(True)
        self.add_page()

    def draw(self) -> None:
        self.heading()
        self.parties()
        self.sums()
        self.closing()

    # -- the parts -----------------------------------------------------------------------------------------------------

    def heading(self) -> None:
        receipt = self.receipt
        self.line_of(receipt.practice_name, size=LARGE, font=BOLD)
        for part in receipt.practice_address.split(";"):
            self.line_of(part.strip(), size=SMALL)
        if receipt.gstin:
            self.line_of(f"GSTIN {receipt.gstin}", size=SMALL)
        self.ln(LINE)
        self.line_of(title(receipt), size=LARGE, font=BOLD)
        self.ln(LINE / 2)

    def parties(self) -> None:
        receipt = self.receipt
        self.named(_("Number"), receipt.number)
        self.named(_("Date"), long_day(receipt.at))
        if receipt.original is not None:
            taken = {"number": receipt.original.number, "day": long_day(receipt.original.at)}
            self.named(_("Takes back"), _("{number} of {day}").format(**taken))
            self.named(_("Reason"), _("money returned") if receipt.refund_id else _("payment recorded by mistake"))
        self.named(_("For"), receipt.person_name)
        self.named(_("Booking"), receipt.booking_reference)
        if receipt.place_of_supply:
            self.named(_("Place of supply"), f"{_(gst.STATES[receipt.place_of_supply])} ({receipt.place_of_supply})")
        self.ln(LINE)

    def sums(self) -> None:
        receipt = self.receipt
        self.sum_row(_("Description"), _("Amount"), font=BOLD)
        with self.rule_below():
            described, part = (*receipt.description.split("; ", 1), "")[:2]
            sac = f" (SAC {receipt.sac})" if receipt.sac else ""
            self.sum_row(described + sac, money(receipt.amount_paise, receipt.currency))
            if part:
                self.sum_row(part[:1].upper() + part[1:], "")
        for name, paise in rows(receipt):
            self.sum_row(name, money(paise, receipt.currency))
        self.sum_row(_("Total"), money(receipt.amount_paise, receipt.currency), font=BOLD)
        self.ln(LINE)

    def closing(self) -> None:
        if self.receipt.tax_mode == TaxMode.EXEMPT:
            self.line_of(_("No tax is charged on this supply."), size=SMALL)
        else:
            self.line_of(_("Prices include tax. Tax is not payable on reverse charge."), size=SMALL)
        self.line_of(_("Issued electronically; valid without a signature."), size=SMALL)

    # -- the pen -------------------------------------------------------------------------------------------------------

    def line_of(self, text: str, *, size: float = SIZE, font: str = LATIN) -> None:
        self.written(text, size=size, font=font)
        self.ln(LINE * size / SIZE)

    def named(self, name: str, text: str) -> None:
        self.written(name)
        self.set_x(self.l_margin + SUMS)
        with self.local_context(), self.indented(SUMS):
            self.written(text)
        self.ln(LINE)

    def sum_row(self, name: str, amount: str, *, font: str = LATIN) -> None:
        self.on_one_line(name, font=font)
        width = sum(self.get_string_width(piece) for piece in self.pieces(amount, SIZE, font))
        self.set_x(self.l_margin + WIDTH - width)
        self.on_one_line(amount, font=font)
        self.ln(LINE * 1.3)

    def on_one_line(self, text: str, *, font: str) -> None:
        """A cell each piece, since what breaks lines takes joined letters for wider than they are."""
        for piece in self.pieces(text, SIZE, font):
            self.cell(self.get_string_width(piece), LINE * 1.3, piece)

    def written(self, text: str, *, size: float = SIZE, font: str = LATIN) -> None:
        """On as many lines as it takes."""
        for piece in self.pieces(text, size, font):
            self.write(LINE * size / SIZE, piece)

    def pieces(self, text: str, size: float, font: str) -> Iterator[str]:
        """Each in the font of its script, which is in use meanwhile. Bold is Latin alone."""
        found = list(runs(text))
        latin = font if all(script == LATIN for script, _text in found) else LATIN
        for script, piece in found:
            self.use(smallest(latin, piece) if script == LATIN else script, size)
            known = self.letters[self.font_family]
            yield "".join(one if ord(one) in known else UNKNOWN for one in piece)

    @contextmanager
    def indented(self, by: float) -> Iterator[None]:
        """Lines that begin within, and those they break into, begin further in."""
        margin = self.l_margin
        self.set_left_margin(margin + by)
        try:
            yield
        finally:
            self.set_left_margin(margin)

    @contextmanager
    def rule_below(self) -> Iterator[None]:
        yield
        self.line(self.l_margin, self.get_y(), self.l_margin + WIDTH, self.get_y())

    def use(self, font: str, size: float) -> None:
        """A font is read when it is first needed, and only what was written goes into the document."""
        if font.lower() not in self.fonts:
            self.add_font(font, fname=FOLDER / f"{font}.ttf")
            added = self.fonts[font.lower()]
            assert isinstance(added, TTFFont)
            self.letters[font.lower()] = added.cmap
        self.set_font(font, size=size)
