"""`/go/data/reminders/`: by which way a person is reminded, and to which number."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.api import reminder_ways
from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.audit import own_data
from backend.bookings.lifecycle import reminder_choice
from backend.channels import consents
from backend.channels.models import Purpose
from backend.channels.names import ReminderWay
from backend.people import phones


class RemindersPage(LinkPage):
    """As it is now, with each way that there is. Where one was taken away, what stands of it can be ended."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        client = own_data.proved_by(token, now=timezone.now())[1]
        stands = consents.of([client.pk], Purpose.REMINDERS).get(client.pk)
        way = ReminderWay(stands.channel) if stands is not None else ReminderWay.EMAIL
        number = stands.phone_number if stands is not None else client.phone_number
        context = {
            "token": token,
            "ways": reminder_ways.offered() or ((ReminderWay.EMAIL.value, reminder_ways.LABELS[ReminderWay.EMAIL]),),
            "way": way.value,
            "label": reminder_ways.LABELS[way],
            "number": phones.shown(number),
        }
        return render_page("reminders", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        token, way = request.POST.get("token", ""), request.POST.get("reminders_by", "")
        reminder_choice.choose_reminders(token, way, now=timezone.now())
        return render_page("data_done", {"heading": _("How we remind you is changed"), "token": token})
