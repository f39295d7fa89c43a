"""The hooks of a backend: what it may add to the steps of ``Backend``, and by default does not.

All of them run in the main thread, with the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from badges_plugin.distribution.data import Action, AtProvider, Place, Receipt
from badges_plugin.models import BadgeAward


class Hooks:
    """Methods with a default that does nothing."""

    def language(self) -> str:
        """Return the language of texts that the provider shows to people; empty means that of the site."""
        return ""

    def account_name(self, account: str) -> str:
        """Return the name of the account for staff."""
        return account

    def fingerprint(self, account: str) -> str:
        """Return a text that changes with the account's key and does not reveal it."""
        return ""

    def badge_url(self, award: BadgeAward) -> str:
        """Return the public URL of the badge at the provider; empty where there is none, or none is known."""
        return ""

    def badge_urls(self, awards: Sequence[BadgeAward]) -> Mapping[int, str]:
        """Return the URLs of many badges by the keys of their awards; those without one are left out.

        For pages that list badges. A backend that reads its URLs from the database overrides this too, so that the
        number of queries does not grow with the number of awards.
        """
        return {award.pk: url for award in awards if (url := self.badge_url(award))}

    def at_provider(self, awards: Sequence[BadgeAward]) -> Mapping[int, AtProvider]:
        """Return how badges stand at the provider, for their learners, by the keys of their awards.

        Awards that are left out go by their deliveries. By default those without a public URL are.
        """
        return {pk: AtProvider(Place.THERE, url) for pk, url in self.badge_urls(awards).items()}

    def accepted(self, awards: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        """Narrow awards to those that learners have accepted at the provider, where it asks them to. For numbers."""
        return awards.none()

    def prepare_issue(self, award: BadgeAward) -> None:
        """Write own rows together with the award, in its transaction. No requests here."""

    def prepare_revoke(self, award: BadgeAward) -> None:
        """Write own rows together with a revocation, in its transaction. No requests here."""

    def prepare_issues(self, awards: Sequence[BadgeAward]) -> None:
        """Do for many awards, each of another badge, what ``prepare_issue`` does for one.

        A backend that writes rows overrides this instead, so that the number of statements does not grow with the
        number of awards.
        """
        for award in awards:
            self.prepare_issue(award)

    def prepare_revokes(self, awards: Sequence[BadgeAward]) -> None:
        """Do for many revocations what ``prepare_revoke`` does for one."""
        for award in awards:
            self.prepare_revoke(award)

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        """Write to own rows what the provider did, in the transaction that settles the delivery."""

    def record_many(self, done: Sequence[tuple[BadgeAward, Action, Receipt]]) -> None:
        """Do the same for several at once; override it to need fewer statements. By default, ``record`` for each."""
        for award, action, receipt in done:
            self.record(award, action, receipt)

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        """Erase what own rows say about a retired learner. The ids at the provider stay."""

    def notify(self, award: BadgeAward, action: Action) -> None:
        """Notify the learner, after that transaction. Exceptions are logged and change nothing."""
