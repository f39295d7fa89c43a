"""Take over what a provider with accounts has from the host's built-in badges app. See ``badges_plugin.adoption``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin import bulk
from badges_plugin.adoption.adopters import AdoptedBadge, Adopter, BuiltinRow, Fate
from badges_plugin.distribution import channel_keys
from badges_plugin.distribution.accounts.backend import AccountBackend
from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State

LOST = gettext_noop(
    "The built-in badges app never learned whether this badge was issued. A retry looks for it at the provider and, if "
    "it is not there, issues it."
)
REVOCATION_LOST = gettext_noop(
    "The built-in badges app never learned whether this badge was revoked. A retry looks it up at the provider and, if "
    "it is still valid, revokes it."
)


class AccountAdopter(Adopter):
    """A provider with accounts. A subclass says what its rows are."""

    backend: ClassVar[AccountBackend[Any, Any]]

    @abstractmethod
    def badge_state(self, badge: BuiltinRow, fate: Fate) -> str:
        """Return the state of our row of a badge."""

    def external_value(self, badge: BuiltinRow) -> object:
        """Return the provider's id of a badge as our column has it, for one of which it is valid."""
        return self.external_id(badge)

    @abstractmethod
    def no_external_value(self) -> object:
        """Return what our column of the provider's id has where none is known."""

    def adopt_badges(self, adopted: Sequence[AdoptedBadge]) -> None:
        bulk.insert_columns(
            self.backend.badge_model,
            {
                "usercredential_ptr_id": [each.award.credential_id for each in adopted],
                "issued_at": [each.award.awarded_at for each in adopted],
                "state": [self.badge_state(each.badge, each.fate) for each in adopted],
                # The id of a lost badge, if it has one, is that of an earlier badge.
                "external_id": [
                    self.no_external_value() if each.fate is Fate.LOST else self.external_value(each.badge)
                    for each in adopted
                ],
            },
        )
        self._write_deliveries(adopted)

    def _write_deliveries(self, adopted: Sequence[AdoptedBadge]) -> None:
        template = adopted[0].award.template
        account = self.backend.account(template)
        channel = channel_keys.of(self.backend.slug, {account})[account]
        rows = [
            {"award_id": each.award.pk, "backend": self.backend.slug, "channel_id": channel, **values}
            for each in adopted
            for values in deliveries_of(each.fate, self.external_id(each.badge))
        ]
        with channel_keys.forgotten_on_error():
            bulk.insert_columns(Delivery, {name: [row[name] for row in rows] for name in rows[0]})


def deliveries_of(fate: Fate, external_id: str) -> Iterator[Mapping[str, Any]]:
    """Yield the deliveries of a badge: those that were done, and those about which staff decide."""
    if fate is Fate.LOST:
        yield _delivery(Action.ISSUE, "", reason=LOST)
        return
    yield _delivery(Action.ISSUE, external_id)
    if fate is Fate.REVOKED:
        yield _delivery(Action.REVOKE, external_id)
    elif fate is Fate.REVOCATION_LOST:
        yield _delivery(Action.REVOKE, "", reason=REVOCATION_LOST)


def _delivery(action: Action, external_id: str, *, reason: str = "") -> Mapping[str, Any]:
    """Return the columns of a delivery that was made or, with a reason, that nobody retries unless staff do."""
    return {
        "action": action.value,
        "state": State.FAILED.value if reason else State.DONE.value,
        "in_doubt": bool(reason),
        "external_id": external_id,
        "last_error": reason,
        "settled_at": None if reason else timezone.now(),
    }


def give_key(account: Account, key: str) -> bool:
    """Give an account, not saved, the key that another app had. Returns False where it has one already."""
    if not key or account.key_is_in_settings or account.encrypted_key:
        return False
    account.set_api_key(key)
    return True
