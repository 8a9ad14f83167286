"""The addresses that the released site and the chatbot call."""

from django.urls import path

from backend.api.public import bookings, cancellations, docs, enquiries, info, moves, slots

docs.describe()

urlpatterns = [
    path("", bookings.Ping.as_view()),
    path("health/", bookings.Ping.as_view()),
    path("ping/", bookings.Ping.as_view()),
    path("support/", bookings.Support.as_view()),
    path("info/", info.Info.as_view()),
    path("psychologists/", slots.Psychologists.as_view()),
    path("slots/", slots.Slots.as_view()),
    path("bookings/draft/", bookings.SubmitDraft.as_view()),
    path("bookings/verify-email/", bookings.VerifyEmail.as_view()),
    path("bookings/check-status/", bookings.CheckStatus.as_view()),
    path("bookings/initiate-payment/", bookings.InitiatePayment.as_view()),
    path("bookings/complete-payment/", bookings.CompletePayment.as_view()),
    path("bookings/request-cancellation/", cancellations.RequestCancellation.as_view()),
    path("bookings/verify-cancellation/", cancellations.VerifyCancellation.as_view()),
    path("bookings/move/", moves.Move.as_view()),
    path("send-email/", enquiries.SendEmail.as_view()),
]
