"""Accredible as a distribution backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.distribution.accredible import handlers
from badges_plugin.distribution.accredible.client import AccredibleClient
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.data import CredentialRecord, CredentialState
from badges_plugin.distribution.accredible.models import ORIGIN, AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.data import Action, ProviderRequest, Receipt, Recipient, spellings
from badges_plugin.distribution.exceptions import AlreadyIssued, PermanentFailure
from badges_plugin.distribution.recipients import MISSING_NAME
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.times import site_day, site_midnight

# Tells references of this plugin, at whatever site, from ids that an issuer gave by other means.
_PREFIX = "openedx-"


@dataclass(frozen=True, slots=True)
class Context:
    """What a request to Accredible needs besides the order.

    ``credential_name`` is empty where the group itself names its credentials.
    """

    client: AccredibleClient
    group_id: int
    credential_name: str


class AccredibleBackend(Backend[Context]):
    """Issues at Accredible, and revokes by letting expire. One account per API configuration."""

    slug: ClassVar[str] = ORIGIN
    name: ClassVar[str] = gettext_lazy("Accredible")  # type: ignore[assignment]
    expires_badges = True

    def account(self, template: BadgeTemplate) -> str:
        return str(_own(template).api_config_id)

    def account_name(self, account: str) -> str:
        return str(AccredibleApiConfig.objects.filter(pk=account).first() or account)

    def fingerprint(self, account: str) -> str:
        row = AccredibleApiConfig.objects.filter(pk=account).first()
        return row.key_fingerprint() if row else ""

    def load(self, award: BadgeAward) -> Context:
        group = _own(award.template)
        return Context(client_for(group.api_config), group.group_id, "" if group.course_name else group.name)

    def find(self, order: ProviderRequest[Context]) -> Receipt | None:
        client, today = order.context.client, _today()
        if order.action is Action.REVOKE:
            found = client.credential(order.external_id)
            if found is None:
                return _gone(order)
            return _receipt(found, adopted=True) if found.state(today) is CredentialState.EXPIRED else None
        # By our own reference first: that is read where it was written, and not from an index that may lag behind.
        exact = client.credential(_reference(order))
        if exact is not None and _may_be_adopted(exact, order, today):
            return _receipt(exact, adopted=True)
        if not order.recipient.email:
            return None  # of a learner who was retired
        for condition in _searches(order):
            query = {"group.id": order.context.group_id, **condition}
            ours = [found for found in client.credentials(query) if _is_ours(found, order, today)]
            if ours:
                # Rather one that names this earner than one that was issued by hand.
                return _receipt(min(ours, key=lambda found: not found.reference), adopted=True)
        return None

    def find_others(self, order: ProviderRequest[Context]) -> list[str]:
        return [_earner(found.reference) for found in _at_the_address(order)]

    def issue(self, order: ProviderRequest[Context]) -> Receipt:
        try:
            return _receipt(order.context.client.issue(_credential_to_issue(order)))
        except AlreadyIssued as refusal:
            if not order.foreign_ids:
                raise
            hint = _(
                "If that is the expired one of an earlier award: allow duplicates in the settings of the group at "
                "Accredible, or delete it there, and retry."
            )
            raise AlreadyIssued(f"{refusal.reason} {hint}", status=refusal.status, body=refusal.body) from refusal

    def revoke(self, order: ProviderRequest[Context]) -> Receipt:
        expired = order.context.client.expire(order.external_id, on=_today())
        if expired is None:
            return _gone(order)
        return Receipt(order.external_id, CredentialState.EXPIRED)

    def prepare_issue(self, award: BadgeAward) -> None:
        handlers.issue_badge(award)

    def prepare_revoke(self, award: BadgeAward) -> None:
        handlers.revoke_badge(award)

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        handlers.record_badge(award, receipt)

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        AccredibleBadge.objects.filter(pk__in=[award.credential_id for award in awards]).update(credential_url="")

    def announce(self, award: BadgeAward, action: Action) -> None:
        if action is Action.ISSUE:
            handlers.notify_user_awarding(award)
        else:
            handlers.notify_user_revocation(award)


def _at_the_address(order: ProviderRequest[Context]) -> Iterator[CredentialRecord]:
    query: dict[str, str | int] = {
        "group.id": order.context.group_id,
        "recipient_email": order.recipient.email,
    }
    return order.context.client.credentials(query)


def _earner(reference: str) -> str:
    """The earner id in a reference of this plugin; empty in another's."""
    if not reference.startswith(_PREFIX):
        return ""
    return reference.removeprefix(_PREFIX).rpartition("-")[0]


def _own(template: BadgeTemplate) -> AccredibleGroup:
    try:
        return AccredibleGroup.objects.select_related("api_config").get(pk=template.pk)
    except AccredibleGroup.DoesNotExist as error:
        raise PermanentFailure(_("The badge template has no group at Accredible.")) from error


def _today() -> date:
    """Today where the site is: a learner's badge bears the day on which they earned it."""
    return site_day(timezone.now())


def _references(order: ProviderRequest[Context]) -> str:
    """What the references of all awards of this badge to this learner begin with."""
    return f"{_PREFIX}{order.recipient.earner_id}-"


def _reference(order: ProviderRequest[Context]) -> str:
    """Our id of the credential: one for each award, whatever happens in between, and different at every site."""
    return f"{_references(order)}{order.number}"


def _searches(order: ProviderRequest[Context]) -> Iterator[dict[str, str | int]]:
    """Where a credential of the order may be, the likeliest place first."""
    for email in spellings(order.recipient.email):
        yield {"recipient_email": email}
    # What we issued ourselves is known by our reference, whatever became of the address.
    yield {"license_id": _reference(order)}


def _credential_to_issue(order: ProviderRequest[Context]) -> dict[str, Any]:
    """Fields as in https://docs.api.accredible.com/ , "Create a Credential"."""
    if "@" not in order.recipient.email:
        raise PermanentFailure(_("The learner has no e-mail address, and Accredible issues to addresses only."))
    credential: dict[str, Any] = {
        "id": _reference(order),
        # Without the recipient's own id: Accredible means a person by it, and ``earner_id`` is one badge of a person.
        "recipient": {"name": _full_name(order.recipient), "email": order.recipient.email},
        "group_id": order.context.group_id,
        "issued_on": order.awarded_on.isoformat(),
        "complete": True,
        "approve": True,
    }
    if order.expires_on is not None:
        credential["expired_on"] = order.expires_on.isoformat()
    if order.context.credential_name:
        credential["name"] = order.context.credential_name
    return credential


def _full_name(recipient: Recipient) -> str:
    if recipient.last_name == MISSING_NAME:
        return recipient.first_name
    return f"{recipient.first_name} {recipient.last_name}"


def _is_ours(found: CredentialRecord, order: ProviderRequest[Context], today: date) -> bool:
    """Whether we issued it for this earner, or somebody did by other means to the same address.

    Not one that names another earner: somebody else's badge, or another site's, would be revoked together with ours.
    """
    named = found.reference.startswith(_references(order))
    by_hand = not found.reference.startswith(_PREFIX)
    same_address = found.recipient_email.casefold() == order.recipient.email.casefold() != ""
    return (named or (by_hand and same_address)) and _may_be_adopted(found, order, today)


def _may_be_adopted(found: CredentialRecord, order: ProviderRequest[Context], today: date) -> bool:
    return (
        found.group_id in {None, order.context.group_id}
        and found.id not in order.foreign_ids
        and found.state(today) is not CredentialState.EXPIRED
    )


def _gone(order: ProviderRequest[Context]) -> Receipt:
    return Receipt(order.external_id, CredentialState.DELETED, adopted=True)


def _receipt(found: CredentialRecord, *, adopted: bool = False) -> Receipt:
    details = {"credential_url": found.url}
    expires_at = None if found.expired_on is None else site_midnight(found.expired_on)
    return Receipt(found.id, found.state(_today()).value, adopted=adopted, expires_at=expires_at, details=details)
