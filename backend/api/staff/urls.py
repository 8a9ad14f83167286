"""The addresses that programs of staff call."""

from typing import Any

from django.urls import path

from backend.api.staff import auth, bookings, decisions, events, follow_ups, money, schema, series
from backend.api.staff.actions import BookingAction
from backend.api.staff.many import many_of

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
    path("psychologists/", bookings.Psychologists.as_view()),
    path("locations/", bookings.Locations.as_view()),
    path("corporates/", bookings.Corporates.as_view()),
]
