"""Sets of durations the stack can be started with: the real ones, and ones that show a life cycle in a minute."""

from __future__ import annotations

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "fast": {
        "DRAFT_LIFETIME": "12s",
        "DRAFT_REMINDER_AFTER": "6s",
        "DRAFT_PURGE_AFTER": "5s",
        "ANSWER_WITHIN": "36s",
        "STAFF_REMINDED_AFTER": "20s",
        "MANAGER_TOLD_AFTER": "26s",
        "PAY_WITHIN": "30s",
        "PAY_BEFORE_SLOT": "1s",
        "PAY_GRACE": "2s",
        "ONLINE_PAYMENT_NOTICE": "1s",
        "ATTEMPT_LIFETIME": "8s",
        "GATEWAY_ASK_EVERY": "1s",
        "GATEWAY_ASK_FOR": "5s",
        "SESSION_LENGTH": "5s",
        "SLOT_BUFFER": "1s",
        "COMPLETE_AFTER": "2s",
        "REMIND_FIRST": "6s",
        "REMIND_LAST": "3s",
        "CANCEL_NOTICE": "12s",
        "CANCEL_LINK_LIFETIME": "20s",
        "CHOOSE_WITHIN": "20s",
        "CHOOSE_BEFORE_SLOT": "2s",
        "CHOOSE_AT_LEAST": "2s",
        "UNDO_WINDOW": "0s",
        "SWEEP_EVERY": "1s",
        "PURGE_EVERY": "2s",
        "RECONCILE_EVERY": "5s",
        "TRUSTED_PROXIES": "1",  # its many visitors share this machine, and each says an address of their own
        "LOOKUP_MISSES_PER_HOUR": "1000",  # each demo asks for unknown ids; run again and again it would be braked
    },
}
