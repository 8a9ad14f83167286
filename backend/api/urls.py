"""Every address of the API."""

from django.urls import path

from backend.api import hooks, public

urlpatterns = [
    path("", public.Ping.as_view()),
    path("health/", public.Ping.as_view()),
    path("ping/", public.Ping.as_view()),
    path("support/", public.Support.as_view()),
    path("bookings/draft/", public.Draft.as_view()),
    path("bookings/verify-email/", public.VerifyEmail.as_view()),
    path("bookings/check-status/", public.CheckStatus.as_view()),
    path("bookings/initiate-payment/", public.InitiatePayment.as_view()),
    path("bookings/complete-payment/", public.CompletePayment.as_view()),
    path("hooks/payments/<slug:gateway_name>/", hooks.PaymentEvent.as_view()),
]
