"""The project's settings, with a mail backend that is killed by one kind of mail."""

from config.settings import *  # noqa: F403 -- all of them, save one

EMAIL_BACKEND = "tests.support.poison_mail.PoisonedBackend"
