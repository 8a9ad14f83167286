"""Every address of this backend."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from backend.api import health, pages, pages_of_times
from backend.api.public import Ping

urlpatterns = [
    path("", Ping.as_view(schema=None)),  # outside what /api/schema/ describes
    re_path("^livez/?$", health.livez),
    re_path("^readyz/?$", health.readyz),
    re_path("^metrics/?$", health.figures),
    path("api/", include("backend.api.urls")),
    path("go/cancel/", pages.Cancel.as_view()),
    path("go/alternative/", pages_of_times.Alternative.as_view()),
    path("go/reschedule/", pages_of_times.Reschedule.as_view()),
    path("go/again/", pages.Again.as_view()),
    re_path("^go(?:/|$)", pages.Nowhere.as_view()),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("backend.bookings.admin.urls")),  # the desk's own pages stand before the admin's
    path("admin/", admin.site.urls),
]
