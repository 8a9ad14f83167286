"""Every mail service on offer can be used with our variables alone, tracks nobody, and says what it lacks."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from backend.core.environment import Misconfigured
from backend.notifications import calendar_parts
from backend.notifications.rendering import RenderedMail, ReproducibleMail
from config import mail as providers
from tests.support import mail_api, mail_events
from workers.mail import MailConnection

pytestmark = [
    pytest.mark.sqlite_only,
    # Anymail has no account at SendGrid any more to try itself against
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]

LINK = "https://site.example/verify-email?token=secret"
ENTRY = {
    "method": "REQUEST",
    "sequence": 5,
    "starts_at": "2026-11-24T12:00:00+00:00",
    "ends_at": "2026-11-24T13:00:00+00:00",
}
OFF = {  # what of the request asks for no tracking
    "amazon_ses": '"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}',
    "brevo": '"X-Mailin-Track": "0"',
    "mailersend": '"settings": {"track_clicks": false, "track_opens": false, "track_content": false}',
    "mailgun": "o:tracking=no",
    "mailjet": '"TrackClicks": "disabled", "TrackOpens": "disabled"',
    "postmark": '"TrackLinks": "None", "TrackOpens": false',
    "resend": "",  # has no such wish: its sender's domain says
    "sendgrid": '"click_tracking": {"enable": false}, "open_tracking": {"enable": false}',
}
KEY_IN = {  # the part of the head in which the key goes
    "amazon_ses": ("Authorization", "Credential=the-key/"),
    "brevo": ("api-key", "the-key"),
    "mailersend": ("Authorization", "Bearer the-key"),
    "mailgun": ("Authorization", "Basic YXBpOnRoZS1rZXk="),
    "mailjet": ("Authorization", "Basic dGhlLWtleTp0aGUtc2VjcmV0"),
    "postmark": ("X-Postmark-Server-Token", "the-key"),
    "resend": ("Authorization", "Bearer the-key"),
    "sendgrid": ("Authorization", "Bearer the-key"),
}


def a_mail(now: Any) -> ReproducibleMail:
    text = RenderedMail("Confirm", f"Go on: {LINK}\n", f'<a href="{LINK}">Go on</a>')
    return ReproducibleMail(text, to=mail_api.TO, uuid=UUID(int=1), dated=now, correlation_id="")


@pytest.mark.parametrize("provider", providers.PROVIDERS)
def test_each_provider_takes_a_mail_with_our_variables_and_is_asked_to_track_nobody(
    provider: str, now: Any, settings: Any
) -> None:
    with mail_api.serving(provider) as api:
        mail_api.use(settings, provider, api)
        connection = MailConnection()
        named = connection.send(a_mail(now))
        connection.close()
    (head, body), *more = api.asked
    assert "1" in named if provider != "sendgrid" else UUID(named)  # by which its reports name the mail
    if provider not in ("amazon_ses", "mailersend"):  # the one in a mail that is encoded, the other has no place for it
        assert re.search(rf'message"?(: |:|=)"?{UUID(int=1)}', body.replace("\\", ""))
    name, expected = KEY_IN[provider]
    assert not more
    assert expected in {key.lower(): value for key, value in head.items()}[name.lower()]
    assert OFF[provider] in body.replace("&", " ")


@pytest.mark.parametrize("provider", providers.PROVIDERS)
def test_each_provider_takes_a_calendar_entry_in_its_own_way(provider: str, now: Any, settings: Any) -> None:
    """Whole, or as a file: Anymail refuses the mail that has a part which it cannot pass on."""
    mail, told = a_mail(now), {"acknowledgement_id": "MS-7K2QXW", "entry": ENTRY}
    calendar_parts.attach(mail, [told], stamped_at=now)
    with mail_api.serving(provider) as api:
        mail_api.use(settings, provider, api)
        connection = MailConnection()
        connection.send(mail)
        connection.close()
    ((_, body),) = api.asked
    assert "appointment.ics" in body or provider == "amazon_ses"
    assert len(mail.alternatives) == (2 if provider in ("amazon_ses", "sendgrid") else 1)
    assert len(mail.attachments) == 1


@pytest.mark.parametrize("provider", providers.PROVIDERS)
def test_a_webhooks_secret_has_the_form_that_its_provider_gives(provider: str) -> None:
    providers.refuse_unfit_webhook_secret(provider, "")
    providers.refuse_unfit_webhook_secret(provider, mail_events.secret_of(provider))
    for unfit in ("guessed", mail_events.secret_of(provider) + " ", "whsec_short"):
        with pytest.raises(Misconfigured, match=rf"EMAIL_WEBHOOK_SECRET: expected of EMAIL_PROVIDER={provider} ") as no:
            providers.refuse_unfit_webhook_secret(provider, unfit)
        assert unfit not in str(no.value)


def test_who_reports_no_deliveries_has_no_webhook() -> None:
    with pytest.raises(Misconfigured, match="EMAIL_PROVIDER=smtp reports no deliveries"):
        providers.refuse_unfit_webhook_secret("smtp", "a-password-in-the-address")


@pytest.mark.parametrize("provider", [*providers.PROVIDERS, "smtp"])
def test_a_provider_names_what_it_has_not_been_given(provider: str) -> None:
    needed = [*providers.PROVIDERS[provider].takes.values()] if provider != "smtp" else ["EMAIL_HOST"]
    complete = dict.fromkeys(needed, "given")
    providers.refuse_incomplete(provider, complete)
    for name in needed:
        with pytest.raises(Misconfigured, match=rf"EMAIL_PROVIDER={provider} needs {name}\."):
            providers.refuse_incomplete(provider, complete | {name: ""})
