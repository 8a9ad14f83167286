"""The addresses of the visitor's own pages.

Each stands under /visit/. Those that mails name of the site stand there too, whether there is another site or not: what
was mailed before it came leads here.
"""

from django.urls import path, re_path

from backend.api.visit import booking_page, enquiry_page, home, lookups, pay_page, request_page, times_page

app_name = "visit"
urlpatterns = [
    path("visit/", home.HomePage.as_view(), name="home"),
    path("visit/times/", times_page.TimesPage.as_view(), name="times"),
    path("visit/request/", request_page.RequestPage.as_view(), name="request"),
    path("visit/sent/", request_page.SentPage.as_view(), name="sent"),
    path("visit/booking/", booking_page.BookingPage.as_view(), name="booking"),
    path("visit/calendar/", booking_page.CalendarFile.as_view(), name="calendar"),
    path("visit/pay/", pay_page.PayPage.as_view(), name="pay"),
    path("visit/cancelled/", booking_page.CancelledPage.as_view(), name="cancelled"),
    path("visit/status/", lookups.StatusPage.as_view(), name="status"),
    path("visit/link/", lookups.SendLinkPage.as_view(), name="link"),
    path("visit/enquiry/", enquiry_page.EnquiryPage.as_view(), name="enquiry"),
    re_path("^verify-email/?$", booking_page.BookingPage.as_view()),
    re_path("^payment/?$", pay_page.PayPage.as_view()),
    re_path("^verify-cancellation/?$", booking_page.CancelledPage.as_view()),
]
