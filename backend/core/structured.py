"""structlog, as production has it: where developers have rich, it would load that, and make no use of it here."""

from backend.core.deferred import absent

with absent("rich"):
    import structlog

__all__ = ["structlog"]
