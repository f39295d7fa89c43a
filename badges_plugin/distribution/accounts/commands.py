"""Management commands that do something for each account of a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.core.management.base import BaseCommand, CommandError

from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.redaction import one_line

AccountT = TypeVar("AccountT", bound=Account)


def for_each(command: BaseCommand, accounts: Sequence[AccountT], work: Callable[[AccountT], str]) -> None:
    """Do the work for one account after another, and print what each returns; one that fails does not stop the others.

    Raises CommandError in the end when any failed.
    """
    if not accounts:
        command.stdout.write("Nothing to do: there is no account yet. Add one in the admin or in the settings.")
    failed = 0
    for number, account in enumerate(accounts, start=1):
        progress = f"[{number}/{len(accounts)}] {one_line(account)}"
        try:
            command.stdout.write(f"{progress}: {one_line(work(account))}")
        except DeliveryFailure as failure:
            failed += 1
            command.stderr.write(f"{progress}: {failure.reason}")
    if failed:
        called = accounts[0]._meta.verbose_name_plural
        raise CommandError(f"{failed} of {len(accounts)} {called} failed.")
