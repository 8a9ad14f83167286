"""Every address of the API."""

from django.urls import path

from backend.api import (
    access,
    cancellations,
    docs,
    docs_public,
    enquiries,
    hooks,
    public,
    slots,
    staff,
    staff_follow_ups,
)

docs_public.describe()

_BOOKING = "staff/bookings/<str:acknowledgement_id>/"

urlpatterns = [
    path("", public.Ping.as_view()),
    path("health/", public.Ping.as_view()),
    path("ping/", public.Ping.as_view()),
    path("support/", public.Support.as_view()),
    path("psychologists/", slots.Psychologists.as_view()),
    path("slots/", slots.Slots.as_view()),
    path("bookings/draft/", public.Draft.as_view()),
    path("bookings/verify-email/", public.VerifyEmail.as_view()),
    path("bookings/check-status/", public.CheckStatus.as_view()),
    path("bookings/initiate-payment/", public.InitiatePayment.as_view()),
    path("bookings/complete-payment/", public.CompletePayment.as_view()),
    path("bookings/request-cancellation/", cancellations.RequestCancellation.as_view()),
    path("bookings/verify-cancellation/", cancellations.VerifyCancellation.as_view()),
    path("send-email/", enquiries.SendEmail.as_view()),
    path("hooks/payments/<slug:gateway_name>/", hooks.PaymentEvent.as_view()),
    path("staff/login/", access.Login.as_view()),
    path("staff/logout/", access.Logout.as_view()),
    path("staff/logoutall/", access.LogoutAll.as_view()),
    path("staff/bookings/", staff.Bookings.as_view()),
    path(_BOOKING, staff.WholeBooking.as_view()),
    path(f"{_BOOKING}suggestions/", staff.Suggestions.as_view()),
    path(f"{_BOOKING}approve/", staff.Approve.as_view()),
    path(f"{_BOOKING}reject/", staff.Reject.as_view()),
    path(f"{_BOOKING}cancel/", staff.Cancel.as_view()),
    path(f"{_BOOKING}reschedule/", staff.Reschedule.as_view()),
    path(f"{_BOOKING}follow-up/", staff_follow_ups.FollowUp.as_view()),
    path(f"{_BOOKING}desk-payment/", staff.DeskPayment.as_view()),
    path(f"{_BOOKING}sponsor/", staff.Sponsor.as_view()),
    path(f"{_BOOKING}refund/", staff.Refund.as_view()),
    path(f"{_BOOKING}refund-made/", staff.RefundMade.as_view()),
    path(f"{_BOOKING}outcome/", staff.RecordOutcome.as_view()),
    path(f"{_BOOKING}reveal-phone/", staff.RevealPhone.as_view()),
    path("staff/psychologists/", staff.Psychologists.as_view()),
    path("staff/locations/", staff.Locations.as_view()),
    path("staff/corporates/", staff.Corporates.as_view()),
    path("schema/", docs.Schema.as_view(), name="schema"),
    path("docs/", docs.Docs.as_view()),
]
