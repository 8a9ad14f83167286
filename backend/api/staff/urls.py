"""The addresses that programs of staff call."""

from django.urls import path

from backend.api.staff import auth, bookings, events, follow_ups, schema, series

_BOOKING = "bookings/<str:acknowledgement_id>/"

urlpatterns = [
    path("login/", auth.Login.as_view()),
    path("logout/", auth.Logout.as_view()),
    path("logoutall/", auth.LogoutAll.as_view()),
    path("schema/", schema.StaffSchema.as_view()),
    path("bookings/", bookings.Bookings.as_view()),
    path(_BOOKING, bookings.BookingDetail.as_view()),
    path(f"{_BOOKING}suggestions/", bookings.Suggestions.as_view()),
    path(f"{_BOOKING}approve/", bookings.Approve.as_view()),
    path(f"{_BOOKING}reject/", bookings.Reject.as_view()),
    path(f"{_BOOKING}cancel/", bookings.Cancel.as_view()),
    path(f"{_BOOKING}reschedule/", bookings.Reschedule.as_view()),
    path(f"{_BOOKING}offer-choice/", bookings.OfferChoice.as_view()),
    path(f"{_BOOKING}follow-up/", follow_ups.FollowUp.as_view()),
    path(f"{_BOOKING}move-series/", series.MoveSeries.as_view()),
    path(f"{_BOOKING}cancel-series/", series.CancelSeries.as_view()),
    path(f"{_BOOKING}desk-payment/", bookings.DeskPayment.as_view()),
    path(f"{_BOOKING}void-desk-payment/", bookings.VoidDeskPayment.as_view()),
    path(f"{_BOOKING}sponsor/", bookings.Sponsor.as_view()),
    path(f"{_BOOKING}refund/", bookings.GrantRefund.as_view()),
    path(f"{_BOOKING}refund-made/", bookings.RecordRefundMade.as_view()),
    path(f"{_BOOKING}outcome/", bookings.RecordOutcome.as_view()),
    path(f"{_BOOKING}reveal-phone/", bookings.RevealPhone.as_view()),
    path("events/", events.Events.as_view()),
    path("psychologists/", bookings.Psychologists.as_view()),
    path("locations/", bookings.Locations.as_view()),
    path("corporates/", bookings.Corporates.as_view()),
]
