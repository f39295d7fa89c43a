"""The primary keys of channels, which are asked for at every award and never change.

A process keeps those that are committed. No code deletes a channel, and no delivery can lose its own. Should one be
gone all the same, its deliveries cannot be stored, and the keys are forgotten when the database says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial

from django.db import IntegrityError, transaction

from badges_plugin.distribution.models import Channel

_kept: dict[tuple[str, str], int] = {}


def of(backend: str, accounts: AbstractSet[str]) -> Mapping[str, int]:
    """Return the keys of the channels of a backend's accounts, which are created where there are none.

    One query for accounts that this process has not met before, else none.
    """
    keys = {account: key for account in accounts if (key := _kept.get((backend, account))) is not None}
    if missing := sorted(accounts - keys.keys()):
        stored = dict(Channel.objects.filter(backend=backend, account__in=missing).values_list("account", "pk"))
        found = {account: stored.get(account) or _create(backend, account) for account in missing}
        # This transaction, which may have created them, may still be undone.
        transaction.on_commit(partial(_keep, backend, found))
        keys |= found
    return keys


@contextmanager
def forgotten_on_error() -> Iterator[None]:
    """Forget all keys if what is written with them is refused: one of the rows may be gone."""
    try:
        yield
    except IntegrityError:
        forget()
        raise


def forget() -> None:
    """Forget the keys, as a new process would."""
    _kept.clear()


def _keep(backend: str, stored: Mapping[str, int]) -> None:
    _kept.update({(backend, account): key for account, key in stored.items()})


def _create(backend: str, account: str) -> int:
    channel, _created = Channel.objects.get_or_create(backend=backend, account=account)
    return channel.pk
