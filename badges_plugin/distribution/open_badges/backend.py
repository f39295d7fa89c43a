"""The site itself as a distribution backend: issuing is signing, and revoking is setting a bit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy, gettext_noop

from badges_plugin.distribution.api import (
    Action,
    Backend,
    BadgeAward,
    BadgeTemplate,
    DeliveryFailure,
    PermanentFailure,
    ProviderRequest,
    Receipt,
)
from badges_plugin.distribution.open_badges import keys, storing
from badges_plugin.distribution.open_badges.building import unsigned_document
from badges_plugin.distribution.open_badges.conf import config
from badges_plugin.distribution.open_badges.data import UnsignableBadge
from badges_plugin.distribution.open_badges.models import SLUG, BadgeStatus, IssuerProfile, SignedBadge
from badges_plugin.distribution.open_badges.preparing import Prepared, prepare
from badges_plugin.distribution.open_badges.signing import sign_document

AT_ONCE = 50
"""Badges that one thread signs in a row while many are waiting, so that they are read and recorded together."""

_TOGETHER = gettext_noop("One of several badges cannot be signed.")
_GONE = gettext_noop("The badge was erased with its learner and cannot be signed again.")
_NOT_PREPARED = gettext_noop("The badge template was deleted.")


class OpenBadgesBackend(Backend[Prepared]):
    """Signs the badges of the site, and those of providers where their templates say so. Nothing is sent anywhere.

    An account is the issuer of a site. It is paused while nothing may be signed for it: its key cannot be read, or its
    base URL is that of an example.
    """

    slug: ClassVar[str] = SLUG
    name: ClassVar[str] = gettext_lazy("Open Badges")  # type: ignore[assignment]
    expires_badges = True
    needs_name = False
    # Each award has a document of its own, and the one that was revoked stays so.
    spares_given_back = False
    needs_email = False

    def handles(self, template: BadgeTemplate) -> bool:
        if template.origin == BadgeTemplate.ORIGIN:
            return config().enabled
        return template.is_signed_here

    def may_have_issued(self, template: BadgeTemplate) -> bool:
        # It may have been switched off since, and a badge that ends must not stay valid.
        return True

    def account(self, template: BadgeTemplate) -> str:
        return str(template.site_id)

    def account_name(self, account: str) -> str:
        profile = IssuerProfile.objects.filter(pk=int(account)).first()
        return profile.name if profile else account

    def fingerprint(self, account: str) -> str:
        profile = IssuerProfile.objects.filter(pk=int(account)).first()
        key = keys.newest(int(account))
        # Whether it can be read, too: the old SECRET_KEY may have been added to SECRET_KEY_FALLBACKS.
        is_readable = key is not None and keys.is_readable(key)
        facts = [profile.base_url if profile else "", key.encrypted_private if key else "", is_readable]
        return salted_hmac("open_badges.issuer", json.dumps(facts), algorithm="sha256").hexdigest()

    def load(self, award: BadgeAward) -> Prepared:
        found = self.load_many([award]).get(award.pk)
        if found is None:
            raise PermanentFailure(_NOT_PREPARED)
        if isinstance(found, DeliveryFailure):
            raise found
        return found

    def load_many(self, awards: Sequence[BadgeAward]) -> Mapping[int, Prepared | DeliveryFailure]:
        return prepare(awards)

    def find(self, request: ProviderRequest[Prepared]) -> Receipt | None:
        known = request.context
        if request.action is Action.REVOKE:
            return Receipt(request.external_id, BadgeStatus.REVOKED, adopted=True) if known.is_revoked else None
        return _adopted(request) if known.is_signed else None

    def issue(self, request: ProviderRequest[Prepared]) -> Receipt:
        if request.context.is_signed:
            return _adopted(request)
        try:
            details = _signed(request)
        except UnsignableBadge as refusal:
            raise PermanentFailure(str(refusal)) from refusal
        return Receipt(str(request.context.uuid), BadgeStatus.VALID, expires_at=request.expires_at, details=details)

    def bulk_size(self) -> int:
        return AT_ONCE

    def issue_many(self, requests: Sequence[ProviderRequest[Prepared]]) -> Sequence[Receipt | DeliveryFailure]:
        try:
            return [self._issue_or_fail(request) for request in requests]
        except Exception as error:
            # Then each is signed by itself, and only the one that cannot be needs attention.
            raise PermanentFailure(_TOGETHER) from error

    def _issue_or_fail(self, request: ProviderRequest[Prepared]) -> Receipt | DeliveryFailure:
        try:
            return self.issue(request)
        except DeliveryFailure as failure:
            return failure

    def revoke(self, request: ProviderRequest[Prepared]) -> Receipt:
        return Receipt(request.external_id, BadgeStatus.REVOKED)

    def badge_url(self, award: BadgeAward) -> str:
        return self.badge_urls([award]).get(award.pk, "")

    def badge_urls(self, awards: Sequence[BadgeAward]) -> Mapping[int, str]:
        """One query."""
        rows = SignedBadge.objects.filter(award__in=[award.pk for award in awards], erased_at=None)
        return dict(rows.exclude(signed_at=None).values_list("award", "url"))

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        self.record_many([(award, action, receipt)])

    def record_many(self, done: Sequence[tuple[BadgeAward, Action, Receipt]]) -> None:
        storing.store([(award, receipt) for award, action, receipt in done if action is Action.ISSUE])
        storing.revoke([award for award, action, _receipt in done if action is Action.REVOKE])

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        storing.forget(awards)


def _adopted(request: ProviderRequest[Prepared]) -> Receipt:
    return Receipt(str(request.context.uuid), BadgeStatus.VALID, adopted=True, expires_at=request.expires_at)


def _signed(request: ProviderRequest[Prepared]) -> Mapping[str, str]:
    """Return the document, the token and the number of the key. No database: this runs in a thread."""
    prepared, now = request.context, timezone.now()
    if prepared.facts is None or prepared.pair is None:
        raise UnsignableBadge(_GONE)
    facts = replace(
        prepared.facts,
        email=request.recipient.email,
        awarded_at=request.awarded_at,
        valid_from=now,
        valid_until=request.expires_at,
    )
    return sign_document(unsigned_document(facts), prepared.pair, prepared.kid, now)
