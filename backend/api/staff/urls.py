"""The addresses that programs of staff call."""

from typing import Any

from django.urls import path

from backend.api.staff import (
    accounts,
    auth,
    beside,
    bookings,
    decisions,
    domains,
    erasures,
    events,
    follow_ups,
    hours,
    money,
    operations,
    rebooking,
    reminders,
    reports,
    schema,
    series,
    telephone,
    webhooks,
)
from backend.api.staff.actions import BookingAction
from backend.api.staff.many import many_of
from backend.api.staff.records.kinds import RECORDS
from backend.api.staff.records.views import list_of, one_of

_BOOKING = "bookings/<str:acknowledgement_id>/"

ACTIONS: dict[str, type[BookingAction[Any]]] = {  # by the last part of their address, and many of one behind `many/`
    "approve": decisions.Approve,
    "reject": decisions.Reject,
    "cancel": decisions.Cancel,
    "reschedule": decisions.Reschedule,
    "offer-choice": decisions.OfferChoice,
    "desk-payment": money.DeskPayment,
    "void-desk-payment": money.VoidDeskPayment,
    "sponsor": money.Sponsor,
    "refund": money.GrantRefund,
    "refund-made": money.RecordRefundMade,
    "outcome": decisions.RecordOutcome,
    "undo": decisions.Undo,
}

urlpatterns = [
    path("login/", auth.Login.as_view()),
    path("logout/", auth.Logout.as_view()),
    path("logoutall/", auth.LogoutAll.as_view()),
    path("schema/", schema.StaffSchema.as_view()),
    path("bookings/", bookings.Bookings.as_view()),
    *(path(f"bookings/many/{name}/", many_of(name.replace("-", "_"), act).as_view()) for name, act in ACTIONS.items()),
    path(_BOOKING, bookings.BookingDetail.as_view()),
    path(f"{_BOOKING}suggestions/", bookings.Suggestions.as_view()),
    *(path(f"{_BOOKING}{name}/", act.as_view()) for name, act in ACTIONS.items()),
    path(f"{_BOOKING}follow-up/", follow_ups.FollowUp.as_view()),
    path(f"{_BOOKING}move-series/", series.MoveSeries.as_view()),
    path(f"{_BOOKING}cancel-series/", series.CancelSeries.as_view()),
    path(f"{_BOOKING}reveal-phone/", bookings.RevealPhone.as_view()),
    path("events/", events.Events.as_view()),
    path("to-tell/", telephone.ToTell.as_view()),
    path(f"{_BOOKING}told/", telephone.Told.as_view()),
    path(f"{_BOOKING}mail-again/", telephone.MailAgain.as_view()),
    path(f"{_BOOKING}reminders/", reminders.Reminders.as_view()),
    path(f"{_BOOKING}readers/", beside.BookingReaders.as_view()),
    path(f"{_BOOKING}receipts/<str:document>/", beside.ReceiptDocument.as_view()),
    path(f"{_BOOKING}room/", beside.EnterRoom.as_view()),
    path("clients/<int:row_id>/readers/", beside.ClientReaders.as_view()),
    path("clients/<int:row_id>/erasure/", erasures.Erasure.as_view()),
    path("psychologists/<int:row_id>/hours/", hours.Hours.as_view()),
    path("psychologists/<int:row_id>/time-off/", hours.TimeOffs.as_view()),
    path("psychologists/<int:row_id>/time-off/<int:time_off_id>/", hours.OneTimeOff.as_view()),
    path("psychologists/<int:row_id>/absence/", rebooking.Away.as_view()),
    path("closed-days/sessions/", rebooking.OnClosedDays.as_view()),
    path("reports/numbers/", reports.NumbersReport.as_view()),
    path("reports/month/", reports.MonthReport.as_view()),
    path("reports/accounts/", accounts.Accounts.as_view()),
    path("reports/movements/", accounts.Movements.as_view()),
    path("corporates/<int:row_id>/domains/", domains.Domains.as_view()),
    path("corporates/<int:row_id>/report/", reports.SponsorReport.as_view()),
    path("overview/", operations.Overview.as_view()),
    path("queues/<slug:queue>/", operations.QueueState.as_view()),
    path("queues/<slug:queue>/pause/", operations.Pause.as_view()),
    path("queues/<slug:queue>/resume/", operations.Resume.as_view()),
    path("timers/<slug:timer>/run/", operations.RunTimer.as_view()),
    path("messages/<int:row_id>/redrive/", operations.Redrive.as_view()),
    path("messages/<int:row_id>/discard/", operations.Discard.as_view()),
    path("messages/<int:row_id>/release/", operations.Release.as_view()),
    path("dead-letters/redrive/", operations.RedriveMany.as_view()),
    path("dead-letters/discard/", operations.DiscardMany.as_view()),
    *(path(f"{record.name}/", list_of(record).as_view()) for record in RECORDS),
    *(path(f"{record.name}/<int:row_id>/", one_of(record).as_view()) for record in RECORDS),
    path("webhooks/", webhooks.Webhooks.as_view()),
    path("webhooks/<int:row_id>/", webhooks.Webhook.as_view()),
    path("webhooks/<int:row_id>/rotate-secret/", webhooks.RotateSecret.as_view()),
    path("webhooks/<int:row_id>/end/", webhooks.EndWebhook.as_view()),
    path("webhooks/<int:row_id>/deliveries/", webhooks.Deliveries.as_view()),
    path("webhooks/<int:row_id>/send-again/", webhooks.SendAgain.as_view()),
]
