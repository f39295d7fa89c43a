"""Credly as a distribution backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from badges_plugin.distribution.accounts.backend import AccountBackend
from badges_plugin.distribution.api import (
    Action,
    BadgeAward,
    PermanentFailure,
    ProviderRequest,
    Receipt,
    spellings,
)
from badges_plugin.distribution.credly.client import CredlyClient, can_filter_by, client_for
from badges_plugin.distribution.credly.conf import CredlyConfig, config
from badges_plugin.distribution.credly.data import BadgePayload, BadgeState, TemplateState
from badges_plugin.distribution.credly.models import ORIGIN, CredlyBadge, CredlyBadgeTemplate, CredlyOrganization

_GONE = frozenset({404, 410})
_MAX_EXAMINED = 1_000
_NO_EMAIL = gettext_noop("The learner has no e-mail address, and Credly issues badges only to e-mail addresses.")
_ARCHIVED = gettext_noop("The badge template is archived at Credly. Activate it there, synchronize, and retry.")


@dataclass(frozen=True, slots=True)
class Context:
    """The data of a request to Credly besides the common ones."""

    client: CredlyClient
    settings: CredlyConfig
    template_state: str


class CredlyBackend(AccountBackend[Context, CredlyBadgeTemplate]):
    """Issues and revokes at Credly, one account per organization."""

    slug: ClassVar[str] = ORIGIN
    name: ClassVar[str] = gettext_lazy("Credly")  # type: ignore[assignment]
    expires_badges = True
    asks_learners = True
    loads_by_template = True
    account_model = CredlyOrganization
    template_model = CredlyBadgeTemplate
    badge_model = CredlyBadge
    name_correction = gettext_lazy(  # type: ignore[assignment]
        "Credly replaces the badge by a new one with the name of today. Its date stays, its address at Credly changes, "
        "and the learner may have to accept it again."
    )

    def language(self) -> str:
        return config().locale

    def load(self, award: BadgeAward) -> Context:
        template = self.mirrored(award.template)
        return Context(client_for(template.organization), config(), template.state)

    def find(self, request: ProviderRequest[Context]) -> Receipt | None:
        if request.action is Action.REVOKE:
            revoked = _revoked(request)
            return _adopted(revoked) if revoked else None
        if request.action is Action.CORRECT:
            found = (badge for badges in _searches(request) for badge in badges)
            return next((_adopted(badge) for badge in found if badge.replaces == request.external_id), None)
        for badges in _searches(request):
            ours = [badge for badge in badges if _is_ours(badge, request)]
            if ours:
                # Where a template allows duplicates there may be several: prefer one that names this earner.
                return _adopted(min(ours, key=lambda badge: badge.earner_id != request.recipient.earner_id))
        return None

    def find_others(self, request: ProviderRequest[Context]) -> list[str]:
        if not can_filter_by(request.recipient.email):
            return []
        badges = request.context.client.badges(template_id=request.template_uuid, email=request.recipient.email)
        return [badge.earner_id for badge in badges if badge.counts]

    def issue(self, request: ProviderRequest[Context]) -> Receipt:
        return _receipt(request.context.client.issue(_badge_to_issue(request)))

    def correct_name(self, request: ProviderRequest[Context]) -> Receipt:
        return _receipt(request.context.client.replace(request.external_id, _badge_to_issue(request)))

    def revoke(self, request: ProviderRequest[Context]) -> Receipt:
        try:
            badge = request.context.client.revoke(
                request.external_id,
                reason=request.reason,
                suppress_email=request.context.settings.suppress_revoke_email,
            )
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return Receipt(request.external_id, BadgeState.DELETED, adopted=True)
            # Credly refuses to revoke twice. Its message for that is not documented, so the badge is looked up.
            found = self.find(request) if failure.status == 422 else None
            if found is None:
                raise
            return found
        return _receipt(badge)


def _badge_to_issue(request: ProviderRequest[Context]) -> dict[str, Any]:
    """Fields as in https://www.credly.com/docs/issued_badges#issue-a-badge ."""
    recipient, settings = request.recipient, request.context.settings
    if "@" not in recipient.email:
        raise PermanentFailure(_NO_EMAIL)
    if request.context.template_state == TemplateState.ARCHIVED:
        raise PermanentFailure(_ARCHIVED)
    badge: dict[str, Any] = {
        "recipient_email": recipient.email,
        "issued_to_first_name": recipient.first_name,
        "issued_to_last_name": recipient.last_name,
        "badge_template_id": str(request.template_uuid),
        "issued_at": format_time(request.awarded_at),
        "issuer_earner_id": recipient.earner_id,
        "suppress_badge_notification_email": settings.suppress_issue_email,
    }
    if settings.locale:
        badge["locale"] = settings.locale
    if request.expires_at is not None:
        badge["expires_at"] = format_time(request.expires_at)
    if request.renews:
        # To Credly, the badge that has expired is one that the learner has. Replacing it would keep its date of issue:
        # https://credlyissuer.zendesk.com/hc/en-us/articles/4418439056411
        badge["duplicate_behavior"] = "allow"
    return badge


def format_time(moment: datetime) -> str:
    """Return an instant in Credly's format, in the site's time zone: Credly shows only the day."""
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S %z")


def _searches(request: ProviderRequest[Context]) -> Iterator[Iterable[BadgePayload]]:
    """Yield searches for a badge of the request, the likeliest first. Each sends requests only when it is iterated."""
    client, template_id, recipient = request.context.client, request.template_uuid, request.recipient
    for email in filter(can_filter_by, spellings(recipient.email)):
        yield client.badges(template_id=template_id, email=email)
    # A badge that we issued is known by the earner, even if the e-mail address has changed. If Credly ignores this
    # filter, it lists everybody's badges: only as many are examined as a worker has time for.
    yield islice(client.badges(template_id=template_id, earner_id=recipient.earner_id), _MAX_EXAMINED)


def _is_ours(badge: BadgePayload, request: ProviderRequest[Context]) -> bool:
    """Whether we issued the badge for this earner, or somebody did by hand to the same e-mail address.

    Not a badge that names another earner: somebody else's badge, or another site's, would be revoked with ours.
    """
    by_hand = not badge.earner_id and badge.recipient_email.casefold() == request.recipient.email.casefold() != ""
    return (
        badge.template_id in {None, request.template_uuid}
        and badge.counts
        and not badge.has_expired
        and str(badge.id) not in request.foreign_ids
        and (by_hand or badge.earner_id == request.recipient.earner_id)
    )


def _revoked(request: ProviderRequest[Context]) -> BadgePayload | None:
    """Return the badge of the request if Credly lists it as revoked."""
    client, template_id, email = request.context.client, request.template_uuid, request.recipient.email
    # Not by an e-mail address that Credly cannot filter by: that would list everybody's badges.
    mine = chain.from_iterable(
        client.badges(template_id=template_id, email=spelling) for spelling in filter(can_filter_by, spellings(email))
    )
    # The learner's e-mail address may have changed since the issue. As many revoked badges are examined as a worker has
    # time for; beyond that, the delivery needs attention.
    all_revoked = islice(client.badges(template_id=template_id, states=(BadgeState.REVOKED,)), _MAX_EXAMINED)
    for badge in chain(mine, all_revoked):
        if str(badge.id) == request.external_id and badge.state is BadgeState.REVOKED:
            return badge
    return None


def _receipt(badge: BadgePayload, *, adopted: bool = False) -> Receipt:
    details = {"url": badge.accept_badge_url}
    return Receipt(str(badge.id), badge.state, adopted=adopted, expires_at=badge.expires_at, details=details)


def _adopted(badge: BadgePayload) -> Receipt:
    return _receipt(badge, adopted=True)
