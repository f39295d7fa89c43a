"""``manage.py poll_accredible_credentials``: copy changes that were made at Accredible itself."""

from __future__ import annotations

from badges_plugin.distribution.accounts.commands import AccountsCommand
from badges_plugin.distribution.accredible.events import PollResult, poll
from badges_plugin.distribution.accredible.models import AccredibleApiConfig


class Command(AccountsCommand[AccredibleApiConfig]):
    help = "Copy the states of credentials that were changed at Accredible. Run it regularly."
    account_model = AccredibleApiConfig

    def work(self, account: AccredibleApiConfig) -> PollResult:
        return poll(account)
