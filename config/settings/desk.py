"""The look of the desk: its theme, menus and icons."""

from __future__ import annotations

from config.settings.deployment import PRACTICE_NAME

JAZZMIN_SETTINGS = {
    "site_title": PRACTICE_NAME,
    "site_header": PRACTICE_NAME,
    "site_brand": PRACTICE_NAME,
    "welcome_sign": f"{PRACTICE_NAME} desk",
    "copyright": PRACTICE_NAME,
    "use_google_fonts_cdn": False,
    "show_ui_builder": False,
    "hide_apps": ["django_celery_beat"],  # from the menu; "All pages" has them
    "hide_models": ["bookings.slotclaim", "auth.user"],
    "custom_css": "desk/frame.css",
    "custom_js": "desk/frame.js",
    "usermenu_links": [
        {"name": "Your sign-in", "url": "desk:account"},
        {"name": "Tokens for programs", "url": "desk:tokens"},
        {"name": "Colleagues", "url": "desk:colleagues", "permissions": ["desk.is_owner"]},  # nobody else has it
    ],
    "topmenu_links": [
        {"name": "Today", "url": "admin:index"},
        {"name": "Calendar", "url": "desk:calendar", "permissions": ["desk.see_some_bookings"]},
        {"name": "Bookings", "url": "admin:bookings_booking_changelist", "permissions": ["desk.see_some_bookings"]},
        {"name": "New booking", "url": "admin:bookings_booking_new", "permissions": ["bookings.change_booking"]},
        {"name": "Numbers", "url": "desk:numbers", "permissions": ["payments.view_payment"]},
        {"name": "Accounts", "url": "desk:accounts", "permissions": ["payments.view_payment"]},
        {"name": "All pages", "url": "desk:all"},
    ],
    "icons": {
        "bookings.booking": "fas fa-calendar-check",
        "people.client": "fas fa-user",
        "people.psychologist": "fas fa-user-md",
        "people.location": "fas fa-map-marker-alt",
        "people.corporate": "fas fa-building",
        "outbox.message": "fas fa-envelope",
        "webhooks.subscription": "fas fa-bullhorn",
        "webhooks.delivery": "fas fa-paper-plane",
        "payments.payment": "fas fa-rupee-sign",
        "ops.timerrun": "fas fa-history",
        "ops.act": "fas fa-hand-pointer",
        "ops.process": "fas fa-heartbeat",
    },
    "custom_links": {
        "bookings": [
            {
                "name": "Calendar",
                "url": "desk:calendar",
                "icon": "fas fa-calendar-alt",
                "permissions": ["desk.see_some_bookings"],
            },
            {
                "name": "Day list",
                "url": "desk:day",
                "icon": "fas fa-print",
                "permissions": ["desk.see_some_bookings"],
            },
        ],
        "auth": [
            {
                "name": "Colleagues",
                "url": "desk:colleagues",
                "icon": "fas fa-users",
                "permissions": ["desk.is_owner"],
            },
        ],
        "ops": [
            {
                "name": "Overview",
                "url": "admin:ops_overview",
                "icon": "fas fa-tachometer-alt",
                "permissions": ["ops.add_act"],
            },
            {
                "name": "Schedules",
                "url": "admin:ops_schedules",
                "icon": "fas fa-stopwatch",
                "permissions": ["ops.add_act"],
            },
            {
                "name": "Dead letters",
                "url": "admin:ops_dead_letters",
                "icon": "fas fa-skull-crossbones",
                "permissions": ["ops.add_act"],
            },
        ],
    },
}
