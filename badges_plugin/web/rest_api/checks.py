"""The Django checks of the REST API."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from edx_rest_framework_extensions.auth.jwt import decoder

from badges_plugin.conf import CHECK_TAG
from badges_plugin.sections import errors_in
from badges_plugin.web.rest_api.conf import config


def connect() -> None:
    """Register the checks."""
    checks.register(check_settings, CHECK_TAG)
    checks.register(check_tokens, CHECK_TAG)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E011: BADGES_CONFIG["rest_api"] cannot be used."""
    return errors_in(config, check_id="badges_web.E011")


def check_tokens(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """W012: Tokens are accepted whoever signed them.

    So it is in releases of edx-drf-extensions that take a token for verified when there is no key to verify it with.
    """
    if getattr(settings, "JWT_AUTH", {}).get("JWT_PUBLIC_SIGNING_JWK_SET") or not _accepts_without_keys():
        return []
    hint = "Set JWT_PUBLIC_SIGNING_JWK_SET in JWT_AUTH to the public keys of the LMS."
    text = "Tokens (JWT) are accepted whoever signed them: anybody can read the badges and the progress of any learner."
    return [checks.Warning(text, hint=hint, id="badges_web.W012")]


def _accepts_without_keys() -> bool:
    """Return whether the library lets a text pass that nobody signed."""
    verify = getattr(decoder, "verify_jwk_signature_using_keyset", None)
    if verify is None:
        return False
    try:
        verify("not.a.token", [])
    except Exception:  # noqa: BLE001 - whatever it says, it does not accept it
        return False
    return True
