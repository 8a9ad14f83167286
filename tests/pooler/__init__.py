"""Tests through a PgBouncer that lends a connection for one transaction, as large installations have it."""
