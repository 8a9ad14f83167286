"""One statement that completes all sessions that are over: what a sweep would be without guards, outbox and errors."""

from __future__ import annotations

from django.db import connection

COMPLETE = """
    WITH due AS (
        SELECT id FROM bookings_booking
        WHERE state = 'CONFIRMED' AND due_at <= now() AND choose_by IS NULL
        ORDER BY due_at FOR UPDATE SKIP LOCKED
    ), closed AS (
        UPDATE bookings_booking SET
            state = 'COMPLETED', reason = '', due_at = NULL, closed_at = now(), next_ask_at = NULL,
            cancellation_requested_at = NULL, undo_until = NULL, ledger_sequence = ledger_sequence + 1
        FROM due WHERE bookings_booking.id = due.id
        RETURNING bookings_booking.id, ledger_sequence
    ), freed AS (
        DELETE FROM bookings_slotclaim USING closed WHERE booking_id = closed.id
    ), ended AS (
        UPDATE bookings_link SET expires_at = now() + interval '30 days' FROM closed
        WHERE booking_id = closed.id AND purpose IN ('booking', 'pay')
    )
    INSERT INTO bookings_ledgerentry
        (booking_id, sequence, at, intent, source, target, reason, actor, details, correlation_id)
    SELECT id, ledger_sequence, now(), 'complete_session', 'CONFIRMED', 'COMPLETED', '', 'timer', '{}', '' FROM closed
"""


def complete_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(COMPLETE)
