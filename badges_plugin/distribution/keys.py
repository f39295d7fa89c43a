"""API keys at rest: encrypted under SECRET_KEY, and encrypted anew when SECRET_KEY changes.

Keys that were encrypted under an entry of SECRET_KEY_FALLBACKS can still be decrypted. Keys that cannot are named.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Model

from badges_plugin.logs import get_logger

logger = get_logger(__name__)

# Changing it makes every stored key unreadable.
_PURPOSE = b"badges_plugin.distribution api key"


class UnreadableKey(Exception):
    """The stored key was encrypted under a SECRET_KEY that is gone."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    is_used: Callable[[Any], bool]


@dataclass(slots=True)
class Reencryption:
    """The numbers of stored keys that were encrypted anew or up to date, and the accounts whose keys are unreadable."""

    renewed: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


_columns: dict[type[Model], _Column] = {}
_logged: set[str] = set()


def encrypt(key: str) -> str:
    """Return the key, encrypted under today's SECRET_KEY."""
    return _fernet().encrypt(key.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return the key. Raises UnreadableKey."""
    try:
        return _fernet().decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise UnreadableKey from error


def renew(encrypted: str) -> str | None:
    """Return the key, encrypted anew under today's SECRET_KEY; None where it is already. Raises UnreadableKey."""
    try:
        Fernet(_derived(settings.SECRET_KEY)).decrypt(encrypted.encode())
    except InvalidToken:
        return encrypt(decrypt(encrypted))
    return None


def register(model: type[Model], column: str, *, is_used: Callable[[Any], bool] = lambda row: True) -> None:
    """Keep the encrypted keys in this column readable. ``is_used``: whether the key of a row matters."""
    _columns[model] = _Column(column, is_used)


def reencrypt(*, dry_run: bool = False) -> Reencryption:
    """Encrypt every readable stored key under today's SECRET_KEY."""
    result = Reencryption()
    for row, column in _rows_with_keys():
        encrypted = getattr(row, column.name)
        try:
            renewed = renew(encrypted)
        except UnreadableKey:
            if column.is_used(row):
                result.unreadable.append(f"{row._meta.verbose_name} {row}")
            continue
        if renewed is None:
            result.current += 1
        elif dry_run or _replace(row, column.name, encrypted, renewed):
            result.renewed += 1
    return result


def reencrypt_in_passing(now: datetime) -> bool:
    """Do the same as a chore of the worker, and log unreadable keys once. Return whether there is more: never."""
    result = reencrypt()
    if result.renewed:
        logger.info("%d stored API keys were encrypted under the new SECRET_KEY.", result.renewed)
    for account in sorted(set(result.unreadable) - _logged):
        logger.error("The stored API key of %s cannot be read since SECRET_KEY changed.", account)
    _logged.update(result.unreadable)
    return False


def _rows_with_keys() -> Iterator[tuple[Model, _Column]]:
    for model, column in _columns.items():
        for row in model._default_manager.exclude(**{column.name: ""}).order_by("pk"):  # noqa: SLF001  Django's name
            yield row, column


def _replace(row: Model, column: str, encrypted: str, renewed: str) -> bool:
    """Write the renewed key, on condition that staff have not entered another one meanwhile."""
    same = type(row)._default_manager.filter(pk=row.pk, **{column: encrypted})  # noqa: SLF001  Django's name
    return bool(same.update(**{column: renewed}))


def _fernet() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ())]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str | bytes) -> bytes:
    material = secret if isinstance(secret, bytes) else secret.encode()
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(material))
