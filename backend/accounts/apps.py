"""The accounts app: the second factor of each account, its sessions, and the one-time links that begin them."""

from django.apps import AppConfig
from django.db.models.signals import post_save


class AccountsConfig(AppConfig):
    name = "backend.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from django.contrib.auth.models import User  # models are not there before
        from django.contrib.auth.signals import user_logged_in

        from backend.accounts import passwords, sessions, tokens

        user_logged_in.connect(sessions.begin_at_login, dispatch_uid="accounts.begin_session")
        post_save.connect(passwords.end_sessions_on_change, sender=User, dispatch_uid="accounts.end_sessions")
        post_save.connect(tokens.revoke_all_on_password_change, sender=User, dispatch_uid="accounts.end_tokens")
