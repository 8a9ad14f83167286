"""The addresses that programs of staff call."""

from django.urls import path

from backend.api.staff import auth, bookings, decisions, events, follow_ups, money, schema, series

_BOOKING = "bookings/<str:acknowledgement_id>/"

urlpatterns = [
    path("login/", auth.Login.as_view()),
    path("logout/", auth.Logout.as_view()),
    path("logoutall/", auth.LogoutAll.as_view()),
    path("schema/", schema.StaffSchema.as_view()),
    path("bookings/", bookings.Bookings.as_view()),
    path(_BOOKING, bookings.BookingDetail.as_view()),
    path(f"{_BOOKING}suggestions/", bookings.Suggestions.as_view()),
    path(f"{_BOOKING}approve/", decisions.Approve.as_view()),
    path(f"{_BOOKING}reject/", decisions.Reject.as_view()),
    path(f"{_BOOKING}cancel/", decisions.Cancel.as_view()),
    path(f"{_BOOKING}reschedule/", decisions.Reschedule.as_view()),
    path(f"{_BOOKING}offer-choice/", decisions.OfferChoice.as_view()),
    path(f"{_BOOKING}follow-up/", follow_ups.FollowUp.as_view()),
    path(f"{_BOOKING}move-series/", series.MoveSeries.as_view()),
    path(f"{_BOOKING}cancel-series/", series.CancelSeries.as_view()),
    path(f"{_BOOKING}desk-payment/", money.DeskPayment.as_view()),
    path(f"{_BOOKING}void-desk-payment/", money.VoidDeskPayment.as_view()),
    path(f"{_BOOKING}sponsor/", money.Sponsor.as_view()),
    path(f"{_BOOKING}refund/", money.GrantRefund.as_view()),
    path(f"{_BOOKING}refund-made/", money.RecordRefundMade.as_view()),
    path(f"{_BOOKING}outcome/", decisions.RecordOutcome.as_view()),
    path(f"{_BOOKING}undo/", decisions.Undo.as_view()),
    path(f"{_BOOKING}reveal-phone/", bookings.RevealPhone.as_view()),
    path("events/", events.Events.as_view()),
    path("psychologists/", bookings.Psychologists.as_view()),
    path("locations/", bookings.Locations.as_view()),
    path("corporates/", bookings.Corporates.as_view()),
]
