"""The hosted page of a session: its buttons, no script, and the way back."""

from __future__ import annotations

from html import escape

from tests.support.fake_stripe.books import Books, How
from tests.support.fake_stripe.shelf import Thing

BANK_SPEAKS_AFTER = 20.0  # seconds, of the button "later"
CHOICES = {"pay": How.CARD, "decline": How.DECLINE, "later": How.UPI}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Payment page of a fake</title><body style="font-family: sans-serif; max-width: 24rem; margin: 2rem auto">
<h1>₹{rupees}</h1><p>{name}</p><p id="said">{said}</p>{buttons}</body></html>"""
_BUTTONS = """<form method="post"><button name="choice" value="pay">Pay</button>
<button name="choice" value="decline">Bank declines</button>
<button name="choice" value="later">Bank answers later</button></form>
<p><a href="{back}">Back to the shop</a></p>"""
_SAID = {
    "open": "Choose what the payer does.",
    "complete": "You have paid here.",
    "expired": "This page has expired. It takes no money.",
}


def show(session: Thing, said: str = "") -> str:
    """The page as HTML."""
    is_open = session["status"] == "open"
    return _PAGE.format(
        rupees=f"{session['amount_total'] / 100:,.2f}",
        name=escape(session["_name"]),
        said=escape(said or _SAID[session["status"]]),
        buttons=_BUTTONS.format(back=escape(session["cancel_url"] or "")) if is_open else "",
    )


def choose(books: Books, session: Thing, choice: str) -> tuple[str, str]:
    """What the payer does: the address that the browser is led to, or "", and the page that it sees else."""
    how = CHOICES.get(choice, How.DECLINE)
    if books.pay(session["id"], how, BANK_SPEAKS_AFTER) and how is not How.DECLINE:
        return session["success_url"], ""
    return "", show(session, "Your bank declined. You may try again." if session["status"] == "open" else "")
