"""Requests to other services: asked within a bounded time, and read by type and size; and what a failure tells."""
