"""The Celery side: one module per queue, woken by beat; each fetches due work, performs it, and settles it."""
