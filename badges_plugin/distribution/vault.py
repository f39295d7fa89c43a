"""API keys at rest: encrypted under SECRET_KEY; SECRET_KEY_FALLBACKS still open what they closed."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Changing it makes every stored key unreadable.
_PURPOSE = b"badges_plugin.distribution api key"


class UnreadableKey(Exception):
    """The stored key was encrypted under a SECRET_KEY that is gone."""


def encrypt(key: str) -> str:
    """The key as it may be stored."""
    return _fernet().encrypt(key.encode()).decode()


def decrypt(sealed: str) -> str:
    """The key again. Raises UnreadableKey."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise UnreadableKey from error


def reseal(sealed: str) -> str | None:
    """The same key, encrypted under today's SECRET_KEY; None where it is that already. Raises UnreadableKey."""
    try:
        Fernet(_derived(settings.SECRET_KEY)).decrypt(sealed.encode())
    except InvalidToken:
        return encrypt(decrypt(sealed))
    return None


def _fernet() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ())]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str | bytes) -> bytes:
    material = secret if isinstance(secret, bytes) else secret.encode()
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(material))
