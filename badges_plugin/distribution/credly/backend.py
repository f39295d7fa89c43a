"""Credly as a distribution backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.credly import handlers
from badges_plugin.distribution.credly.client import CredlyClient, can_filter_by
from badges_plugin.distribution.credly.conf import CredlyConfig, config
from badges_plugin.distribution.credly.data import ALIVE, BadgeRecord, BadgeState, TemplateState
from badges_plugin.distribution.credly.models import ORIGIN, CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.organizations import client_for
from badges_plugin.distribution.data import Action, ProviderRequest, Receipt, spellings
from badges_plugin.distribution.exceptions import PermanentFailure
from badges_plugin.models import BadgeAward, BadgeTemplate

_GONE = frozenset({404, 410})
_MAX_EXAMINED = 1_000


@dataclass(frozen=True, slots=True)
class Context:
    """What a request to Credly needs besides the order."""

    client: CredlyClient
    settings: CredlyConfig
    template_state: str


class CredlyBackend(Backend[Context]):
    """Issues and revokes at Credly, one account per organization."""

    slug: ClassVar[str] = ORIGIN
    name: ClassVar[str] = gettext_lazy("Credly")  # type: ignore[assignment]
    expires_badges = True

    def account(self, template: BadgeTemplate) -> str:
        return str(_own(template).organization.uuid)

    def language(self) -> str:
        return config().locale

    def account_name(self, account: str) -> str:
        return str(CredlyOrganization.objects.filter(uuid=account).first() or account)

    def fingerprint(self, account: str) -> str:
        row = CredlyOrganization.objects.filter(uuid=account).first() or CredlyOrganization(uuid=UUID(account))
        return row.key_fingerprint()

    def load(self, award: BadgeAward) -> Context:
        template = _own(award.template)
        return Context(client_for(template.organization), config(), template.state)

    def find(self, order: ProviderRequest[Context]) -> Receipt | None:
        if order.action is Action.REVOKE:
            revoked = _revoked(order)
            return _adopted(revoked) if revoked else None
        for badges in _searches(order):
            ours = [badge for badge in badges if _is_ours(badge, order)]
            if ours:
                # Where a template allows duplicates there may be several: rather ours than one of the same address.
                return _adopted(min(ours, key=lambda badge: badge.earner_id != order.recipient.earner_id))
        return None

    def find_others(self, order: ProviderRequest[Context]) -> list[str]:
        if not can_filter_by(order.recipient.email):
            return []
        badges = order.context.client.badges(template_id=order.template_uuid, email=order.recipient.email)
        return [badge.earner_id for badge in badges if badge.state in ALIVE]

    def issue(self, order: ProviderRequest[Context]) -> Receipt:
        return _receipt(order.context.client.issue(_badge_to_issue(order)))

    def revoke(self, order: ProviderRequest[Context]) -> Receipt:
        try:
            badge = order.context.client.revoke(
                order.external_id,
                reason=order.reason,
                suppress_email=order.context.settings.suppress_revoke_email,
            )
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return Receipt(order.external_id, BadgeState.DELETED, adopted=True)
            # Credly refuses to revoke twice. Its words for that are not documented, so it is asked instead.
            found = self.find(order) if failure.status == 422 else None
            if found is None:
                raise
            return found
        return _receipt(badge)

    def prepare_issue(self, award: BadgeAward) -> None:
        handlers.issue_badge(award)

    def prepare_revoke(self, award: BadgeAward) -> None:
        handlers.revoke_badge(award)

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        handlers.record_badge(award, receipt)

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        CredlyBadge.objects.filter(pk__in=[award.credential_id for award in awards]).update(accept_badge_url="")

    def announce(self, award: BadgeAward, action: Action) -> None:
        if action is Action.ISSUE:
            handlers.notify_user_awarding(award)
        else:
            handlers.notify_user_revocation(award)


def _own(template: BadgeTemplate) -> CredlyBadgeTemplate:
    try:
        return CredlyBadgeTemplate.objects.select_related("organization").get(pk=template.pk)
    except CredlyBadgeTemplate.DoesNotExist as error:
        raise PermanentFailure(_("The badge template has no organization at Credly.")) from error


def _badge_to_issue(order: ProviderRequest[Context]) -> dict[str, Any]:
    """Fields as in https://www.credly.com/docs/issued_badges#issue-a-badge ."""
    recipient, settings = order.recipient, order.context.settings
    if "@" not in recipient.email:
        raise PermanentFailure(_("The learner has no e-mail address, and Credly issues badges to addresses only."))
    if order.context.template_state == TemplateState.ARCHIVED:
        raise PermanentFailure(
            _("The badge template is archived at Credly. Activate it there, synchronize, and retry.")
        )
    badge: dict[str, Any] = {
        "recipient_email": recipient.email,
        "issued_to_first_name": recipient.first_name,
        "issued_to_last_name": recipient.last_name,
        "badge_template_id": str(order.template_uuid),
        "issued_at": written(order.awarded_at),
        "issuer_earner_id": recipient.earner_id,
        "suppress_badge_notification_email": settings.suppress_issue_email,
    }
    if settings.locale:
        badge["locale"] = settings.locale
    if order.expires_at is not None:
        badge["expires_at"] = written(order.expires_at)
    if order.renews:
        # To Credly, the badge that has expired is one that the learner has. Replacing it would keep its date of issue:
        # https://credlyissuer.zendesk.com/hc/en-us/articles/4418439056411
        badge["duplicate_behavior"] = "allow"
    return badge


def written(moment: datetime) -> str:
    """An instant as Credly's documentation writes it, by the clocks of the site: Credly shows people the day alone."""
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S %z")


def _searches(order: ProviderRequest[Context]) -> Iterator[Iterable[BadgeRecord]]:
    """Where a badge of the order may be, the likeliest place first. Each costs requests only when it is looked at."""
    client, template_id, recipient = order.context.client, order.template_uuid, order.recipient
    for email in filter(can_filter_by, spellings(recipient.email)):
        yield client.badges(template_id=template_id, email=email)
    # What we issued ourselves is known by the earner, whatever became of the address. Should Credly not heed this
    # filter, it lists everybody's badges: so many are gone through as a worker has time for.
    yield islice(client.badges(template_id=template_id, earner_id=recipient.earner_id), _MAX_EXAMINED)


def _is_ours(badge: BadgeRecord, order: ProviderRequest[Context]) -> bool:
    """Whether we issued it for this earner, or somebody did by hand to the same address.

    Not one that names another earner: somebody else's badge, or another site's, would be revoked together with ours.
    """
    by_hand = not badge.earner_id and badge.recipient_email.casefold() == order.recipient.email.casefold() != ""
    return (
        badge.template_id in {None, order.template_uuid}
        and badge.state in ALIVE
        and not badge.has_expired
        and str(badge.id) not in order.foreign_ids
        and (by_hand or badge.earner_id == order.recipient.earner_id)
    )


def _revoked(order: ProviderRequest[Context]) -> BadgeRecord | None:
    """The badge of the order if Credly lists it as revoked."""
    client, template_id, email = order.context.client, order.template_uuid, order.recipient.email
    # Not by an address that Credly cannot be asked for: that would be everybody's badges.
    mine = chain.from_iterable(
        client.badges(template_id=template_id, email=spelling) for spelling in filter(can_filter_by, spellings(email))
    )
    # The learner's address may have changed since the issue. Of all that was revoked so much is gone through as a
    # worker has time for; if that is not enough, staff will look.
    anybodys = islice(client.badges(template_id=template_id, states=(BadgeState.REVOKED,)), _MAX_EXAMINED)
    for badge in chain(mine, anybodys):
        if str(badge.id) == order.external_id and badge.state is BadgeState.REVOKED:
            return badge
    return None


def _receipt(badge: BadgeRecord, *, adopted: bool = False) -> Receipt:
    details = {"accept_badge_url": badge.accept_badge_url}
    return Receipt(str(badge.id), badge.state.value, adopted=adopted, expires_at=badge.expires_at, details=details)


def _adopted(badge: BadgeRecord) -> Receipt:
    return _receipt(badge, adopted=True)
