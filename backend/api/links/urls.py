"""The addresses of mailed links that act; once mailed they never change."""

from django.urls import path, re_path

from backend.api.links import (
    calendar_page,
    data_forms,
    data_page,
    erasure_pages,
    pages,
    pay_page,
    receipt_page,
    reminders_page,
    room_page,
    slot_pages,
)

urlpatterns = [
    path("go/cancel/", pages.CancelPage.as_view()),
    path("go/alternative/", slot_pages.AlternativePage.as_view()),
    path("go/reschedule/", slot_pages.ReschedulePage.as_view()),
    path("go/pay/", pay_page.PayPage.as_view()),
    path("go/room/", room_page.RoomPage.as_view()),
    path("go/calendar/", calendar_page.CalendarPage.as_view()),
    path("go/again/", pages.RequestAgainPage.as_view()),
    path("go/receipt/", receipt_page.ReceiptPage.as_view()),
    path("go/data/", data_page.DataPage.as_view()),
    path("go/data/correct/", data_forms.CorrectPage.as_view()),
    path("go/data/withdraw/", data_forms.WithdrawPage.as_view()),
    path("go/data/reminders/", reminders_page.RemindersPage.as_view()),
    path("go/data/erase/", erasure_pages.ErasePage.as_view()),
    path("go/erasure/", erasure_pages.ErasurePage.as_view()),
    re_path("^go(?:/|$)", pages.Nowhere.as_view()),
]
