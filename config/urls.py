"""Every address of this backend."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from backend.api import probes
from backend.api.visit.home import front_door
from workers.beat_app import without_celery

with without_celery():
    admin.autodiscover()  # the pages, which only who has addresses needs: the desk's, and what programs of staff ask

urlpatterns = [
    path("", front_door),
    re_path("^livez/?$", probes.livez),
    re_path("^readyz/?$", probes.readyz),
    re_path("^metrics/?$", probes.prometheus_metrics),
    path("api/", include("backend.api.urls")),
    path("", include("backend.api.links.urls")),  # /go/
    path("dev/", include("backend.api.dev.urls")),  # with DEBUG alone
    path("", include("backend.api.visit.urls")),  # /visit/, and what mails name of the site
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("backend.desk.urls")),  # the desk's own pages stand before the admin's
    path("admin/", admin.site.urls),
]
