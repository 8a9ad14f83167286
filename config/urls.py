"""Every address of this backend."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from backend.api.public import Ping

urlpatterns = [
    path("", Ping.as_view()),
    path("api/", include("backend.api.urls")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
