"""Every address of this backend.

No visitor waits for the pages of the staff, nor for what their programs ask. The checks of `release` load all of them.
"""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from backend.api import probes
from backend.api.late_addresses import late
from backend.api.visit.home import front_door

urlpatterns = [
    path("", front_door),
    re_path("^livez/?$", probes.livez),
    re_path("^readyz/?$", probes.readyz),
    re_path("^metrics/?$", probes.prometheus_metrics),
    late("api/staff/", "backend.api.staff.urls", "staff"),
    path("api/", include("backend.api.urls")),
    path("", include("backend.api.links.urls")),  # /go/
    path("dev/", include("backend.api.dev.urls")),  # with DEBUG alone
    path("", include("backend.api.visit.urls")),  # /visit/, and what mails name of the site
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    late("admin/", "config.desk_urls", "desk"),
    late("admin/", "config.admin_urls", "admin"),
]
