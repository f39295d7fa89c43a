"""The base class of management commands that work on the accounts of a provider, one after another."""

from __future__ import annotations

from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.redaction import one_line

AccountT = TypeVar("AccountT", bound=Account)


class AccountsCommand(BadgesCommand, Generic[AccountT]):
    """Do ``work`` for each account, and print what it returns; one that fails does not stop the others."""

    account_model: ClassVar[type[Account]]

    @abstractmethod
    def work(self, account: AccountT) -> object:
        """Do the work for one account and return a summary. Raises a DeliveryFailure."""

    def accounts(self, options: dict[str, Any]) -> Sequence[AccountT]:
        """Return the accounts to work on."""
        return list(self.account_model._default_manager.order_by("name", "pk"))  # type: ignore[arg-type]  # noqa: SLF001

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add no options."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Work on each account. Raises CommandError in the end when any failed."""
        self.account_model.add_configured()
        accounts = self.accounts(options)
        if not accounts:
            self.stdout.write("No accounts configured. Add one in the admin or in BADGES_CONFIG.")
        failed = 0
        for number, account in enumerate(accounts, start=1):
            progress = f"[{number}/{len(accounts)}] {one_line(account)}"
            try:
                self.stdout.write(f"{progress}: {one_line(self.work(account))}")
            except DeliveryFailure as failure:
                failed += 1
                self.stderr.write(f"{progress}: {failure.reason}")
        if failed:
            raise CommandError(f"{failed} of {len(accounts)} {accounts[0]._meta.verbose_name_plural} failed.")
