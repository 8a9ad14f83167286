"""A receipt as a PDF: the same bytes for the same row on every machine, in a hand that each script's readers know."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from backend.core.formatting import long_day, money
from backend.payments import gst
from backend.payments.receipt_fonts import BOLD, FOLDER, LATIN, runs
from backend.payments.receipt_models import DocumentKind, Receipt
from backend.payments.tax import TaxMode

SIZE, SMALL, LARGE = 10.0, 8.5, 15.0  # points
LINE = 5.2  # millimetres
WIDTH = 170.0  # of an A4 page between its margins
SUMS = 45.0  # the column of sums
UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # for a letter that none of the fonts has


def render(receipt: Receipt) -> bytes:
    """The document. Its date is the receipt's."""
    pdf = _Document(receipt)
    pdf.heading()
    pdf.parties()
    pdf.sums()
    pdf.closing()
    return bytes(pdf.output())


def title(receipt: Receipt) -> str:
    """What the law calls it."""
    if receipt.kind == DocumentKind.CREDIT_NOTE:
        return "Credit note"
    return "Tax invoice" if receipt.tax_mode == TaxMode.REGISTERED else "Bill of supply"


def rows(receipt: Receipt) -> Iterator[tuple[str, int]]:
    """What the sum is made of, in words."""
    if receipt.tax_mode == TaxMode.EXEMPT:
        return
    yield "Value without tax", receipt.taxable_paise
    half = f"{receipt.tax_percent / 2:g}%"
    if receipt.place_of_supply != receipt.gstin[:2]:
        yield f"IGST {receipt.tax_percent}%", receipt.igst_paise
        return
    state = "UTGST" if receipt.place_of_supply in gst.WITHOUT_LEGISLATURE else "SGST"
    yield f"CGST {half}", receipt.cgst_paise
    yield f"{state} {half}", receipt.sgst_paise


class _Document(FPDF):
    """The page, from its top to its end."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(format="A4")
        self.receipt = receipt
        self.letters: dict[str, Container[int]] = {}  # by font
        self.set_margins(20, 20, 20)
        self.set_title(receipt.number)
        self.set_lang("en-IN")
        self.set_creation_date(receipt.at)
        self.set_text_shaping(True)
        self.add_page()

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
        self.named("Number", receipt.number)
        self.named("Date", long_day(receipt.at))
        if receipt.original is not None:
            self.named("Takes back", f"{receipt.original.number} of {long_day(receipt.original.at)}")
            self.named("Reason", "money returned" if receipt.refund_id else "payment recorded by mistake")
        self.named("For", receipt.person_name)
        self.named("Booking", receipt.booking_reference)
        if receipt.place_of_supply:
            self.named("Place of supply", f"{gst.STATES[receipt.place_of_supply]} ({receipt.place_of_supply})")
        self.ln(LINE)

    def sums(self) -> None:
        receipt = self.receipt
        self.sum_row("Description", "Amount", font=BOLD)
        with self.rule_below():
            described, _, part = receipt.description.partition("; ")
            sac = f" (SAC {receipt.sac})" if receipt.sac else ""
            self.sum_row(described + sac, money(receipt.amount_paise, receipt.currency))
            if part:
                self.sum_row(part[:1].upper() + part[1:], "")
        for name, paise in rows(receipt):
            self.sum_row(name, money(paise, receipt.currency))
        self.sum_row("Total", money(receipt.amount_paise, receipt.currency), font=BOLD)
        self.ln(LINE)

    def closing(self) -> None:
        if self.receipt.tax_mode == TaxMode.EXEMPT:
            self.line_of("No tax is charged on this supply.", size=SMALL)
        else:
            self.line_of("Prices include tax. Tax is not payable on reverse charge.", size=SMALL)
        self.line_of("Issued electronically; valid without a signature.", size=SMALL)

    # -- the pen -------------------------------------------------------------------------------------------------------

    def line_of(self, text: str, *, size: float = SIZE, font: str = LATIN) -> None:
        self.written(text, size=size, font=font)
        self.ln(LINE * size / SIZE)

    def named(self, name: str, text: str) -> None:
        self.use(LATIN, SIZE)
        self.cell(SUMS, LINE, name)
        with self.local_context(), self.indented(SUMS):
            self.written(text)
        self.ln(LINE)

    def sum_row(self, name: str, amount: str, *, font: str = LATIN) -> None:
        self.use(font, SIZE)
        self.cell(WIDTH - SUMS, LINE * 1.3, name)
        self.cell(SUMS, LINE * 1.3, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def written(self, text: str, *, size: float = SIZE, font: str = LATIN) -> None:
        """Each piece in the font of its script."""
        for script, piece in runs(text):
            self.use(font if script == LATIN else script, size)
            known = self.letters[self.font_family]
            self.write(LINE * size / SIZE, "".join(one if ord(one) in known else UNKNOWN for one in piece))

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
