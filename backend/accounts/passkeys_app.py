"""The application of the library of passkeys, in place of its own."""

from backend.core.deferred import deferred

CEREMONIES = ("webauthn.helpers", "webauthn.helpers.structs")  # certificates, ASN.1 and CBOR: 15 MB

with deferred(*CEREMONIES):
    from django_otp_webauthn.apps import OtpWebauthnConfig


class PasskeysConfig(OtpWebauthnConfig):  # type: ignore[misc] # the library has no types
    """Every process has its models; who registers or shows a passkey loads what that takes."""

    def import_models(self) -> None:
        """The same, with the ceremonies left for later."""
        with deferred(*CEREMONIES):
            super().import_models()
