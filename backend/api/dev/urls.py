"""The addresses of development."""

from django.urls import path

from backend.api.dev import mail_pages

app_name = "dev"
urlpatterns = [
    path("mail/", mail_pages.Mails.as_view(), name="mails"),
    path("mail/<str:file>/<int:number>/", mail_pages.Mail.as_view(), name="mail"),
    path("mail/<str:file>/<int:number>/html/", mail_pages.MailBody.as_view(), name="mail_body"),
    path("mail/<str:file>/<int:number>/<int:part>/", mail_pages.MailPart.as_view(), name="mail_part"),
]
