"""The triggers of the access record. A row goes after a year, by the database's own clock, and not before."""

from __future__ import annotations

from datetime import timedelta

from backend.core.append_only import Guard

LEAST = timedelta(days=365)  # kept for a year at least: rule 6 of the DPDP Rules
GUARD = Guard("audit_accessrecord", "access_log", "the access log is append-only", kept=LEAST)
