"""The triggers that make the ledger append-only: decision 004."""

from __future__ import annotations

from backend.core.append_only import Guard

TABLE = "bookings_ledgerentry"
GUARD = Guard(TABLE, "ledger", "the ledger is append-only")
install_triggers = GUARD.install
triggers_missing = GUARD.is_missing
