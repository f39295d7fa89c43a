"""``manage.py poll_credly_events``: apply the events that webhooks have missed, for example during downtime."""

from __future__ import annotations

from badges_plugin.distribution.accounts.commands import AccountsCommand
from badges_plugin.distribution.credly.events import PollResult, poll
from badges_plugin.distribution.credly.models import CredlyOrganization


class Command(AccountsCommand[CredlyOrganization]):
    help = "Apply the events at Credly that no webhook has brought. Run it regularly, and after downtime."
    account_model = CredlyOrganization

    def work(self, account: CredlyOrganization) -> PollResult:
        return poll(account)
