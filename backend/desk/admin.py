"""Registers the staff's pages with Django's admin, and its log-in form."""

from django.contrib import admin

from backend.desk import data_requests, message_records, payment_records, records, webhook_records
from backend.desk.booking import page as booking
from backend.desk.login import LoginForm
from backend.desk.people import corporate, psychologist
from backend.desk.people import records as people

# importing them registers their pages
__all__ = [
    "booking",
    "corporate",
    "data_requests",
    "message_records",
    "payment_records",
    "people",
    "psychologist",
    "records",
    "webhook_records",
]

admin.site.login_form = LoginForm
