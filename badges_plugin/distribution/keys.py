"""Stored API keys after a change of SECRET_KEY: encrypted anew while the old one is known, named when it is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from badges_plugin.distribution import vault
from badges_plugin.logs import get_logger

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    is_used: Callable[[Any], bool]


@dataclass(slots=True)
class Reencryption:
    """How many stored keys were, or would be, encrypted anew, how many needed it not, and whose cannot be read."""

    renewed: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


_columns: dict[type[Model], _Column] = {}
_named: set[str] = set()


def register(model: type[Model], column: str, *, is_used: Callable[[Any], bool] = lambda row: True) -> None:
    """Have the keys in this column, sealed by the vault, kept readable. ``is_used``: whether that of a row matters."""
    _columns[model] = _Column(column, is_used)


def reencrypt(*, dry_run: bool = False) -> Reencryption:
    """Encrypt every stored key under today's SECRET_KEY that SECRET_KEY_FALLBACKS can still open."""
    result = Reencryption()
    for row, column in _sealed():
        sealed = getattr(row, column.name)
        try:
            renewed = vault.reseal(sealed)
        except vault.UnreadableKey:
            if column.is_used(row):
                result.unreadable.append(f"{row._meta.verbose_name} {row}")
            continue
        if renewed is None:
            result.current += 1
        elif dry_run or _replace(row, column.name, sealed, renewed):
            result.renewed += 1
    return result


def reencrypt_in_passing(now: datetime) -> bool:
    """Do the same as a chore of the worker. There is never more to do."""
    result = reencrypt()
    if result.renewed:
        logger.info("%d stored API keys were encrypted under the new SECRET_KEY.", result.renewed)
    for account in sorted(set(result.unreadable) - _named):
        logger.error("The stored API key of %s cannot be read since SECRET_KEY changed.", account)
    _named.update(result.unreadable)
    return False


def _sealed() -> Iterator[tuple[Model, _Column]]:
    for model, column in _columns.items():
        for row in model._default_manager.exclude(**{column.name: ""}).order_by("pk"):  # noqa: SLF001  Django's name
            yield row, column


def _replace(row: Model, column: str, sealed: str, renewed: str) -> bool:
    """By what was read: a key that staff enter meanwhile stays."""
    same = type(row)._default_manager.filter(pk=row.pk, **{column: sealed})  # noqa: SLF001  Django's name
    return bool(same.update(**{column: renewed}))
