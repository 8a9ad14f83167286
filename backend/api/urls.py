"""Every address under /api/."""

from django.urls import include, path

from backend.api import hooks, mail_hooks, message_hooks, schema

urlpatterns = [
    path("", include("backend.api.public.urls")),
    path("staff/", include("backend.api.staff.urls")),
    path("hooks/payments/<slug:gateway_name>/", hooks.PaymentWebhook.as_view()),
    path("hooks/mail/<slug:provider>/", mail_hooks.MailWebhook.as_view()),
    path("hooks/messages/<slug:channel>/", message_hooks.MessageWebhook.as_view()),
    path("schema/", schema.Schema.as_view(), name="schema"),
    path("docs/", schema.Docs.as_view()),
]
