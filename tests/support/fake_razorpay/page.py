"""The hosted page of a link: three buttons, no script, and the way back with a signed query."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.entities import Entity
from tests.support.fake_razorpay.events import signed

BANK_SPEAKS_AFTER = 20.0  # seconds, of the button "later"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Payment page of a fake</title><body style="font-family: sans-serif; max-width: 24rem; margin: 2rem auto">
<h1>₹{rupees}</h1><p>{description}</p><p id="said">{said}</p>{buttons}</body></html>"""
_BUTTONS = """<form method="post"><button name="choice" value="pay">Pay</button>
<button name="choice" value="decline">Bank declines</button>
<button name="choice" value="later">Bank answers later</button></form>"""
_SAID = {
    "created": "Choose what the payer does.",
    "paid": "This link is paid.",
    "cancelled": "This link is cancelled. It takes no money.",
    "expired": "This link has expired. It takes no money.",
}


def show(link: Entity, said: str = "") -> str:
    """The page as HTML."""
    buttons = _BUTTONS if link["status"] == "created" else ""
    if said and link.get("callback_url"):
        buttons += f'<p><a href="{escape(link["callback_url"])}">Back to the shop</a></p>'
    return _PAGE.format(
        rupees=f"{link['amount'] / 100:,.2f}",
        description=escape(link["description"]),
        said=escape(said or _SAID[link["status"]]),
        buttons=buttons,
    )


def choose(books: Books, link_id: str, choice: str, key_secret: str) -> tuple[str, str]:
    """What the payer does: the address that the browser is led to, or "", and the page that it sees else."""
    if choice == "pay":
        payment = books.attempt(link_id, "captured")
        link = books.link(link_id)
        if payment is not None and link.get("callback_url"):
            return way_back(link, payment["id"], key_secret), ""
        return "", show(link)
    if choice == "decline":
        books.attempt(link_id, "failed")
        return "", show(books.link(link_id), "Your bank declined. You may try again.")
    payment = books.attempt(link_id, "created")
    if payment is not None:
        books.become_later(payment["id"], "captured", BANK_SPEAKS_AFTER)
    return "", show(books.link(link_id), "Your bank has not answered yet.")


def way_back(link: Entity, payment_id: str, key_secret: str) -> str:
    """The callback address, signed with the key's secret over what it says."""
    said = [link["id"], link["reference_id"], link["status"], payment_id]
    query = {
        "razorpay_payment_id": payment_id,
        "razorpay_payment_link_id": link["id"],
        "razorpay_payment_link_reference_id": link["reference_id"],
        "razorpay_payment_link_status": link["status"],
        "razorpay_signature": signed("|".join(said).encode(), key_secret),
    }
    joint = "&" if "?" in link["callback_url"] else "?"
    return f"{link['callback_url']}{joint}{urlencode(query)}"
