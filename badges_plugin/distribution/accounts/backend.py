"""The base class of backends with accounts: everything about them that needs no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, prefetch_related_objects
from django.utils.translation import gettext_noop

from badges_plugin.activation import register_refusal
from badges_plugin.distribution import keys, notifications, queueing, registry
from badges_plugin.distribution.accounts.models import Account, MirroredTemplate, ProviderBadge
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.data import Action, AtProvider, ContextT, Receipt
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import NOT_DELIVERED, UNSETTLED
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, BadgeTemplate

logger = get_logger(__name__)

TemplateT = TypeVar("TemplateT", bound=MirroredTemplate)

_NOT_MIRRORED = gettext_noop("The badge template has no account at the provider.")
_ISSUE_UNSETTLED = gettext_noop("The issue of the badge is not recorded yet.")


class AccountBackend(Backend[ContextT], Generic[ContextT, TemplateT]):
    """A provider with accounts. A subclass names its models and adds ``load``, ``find``, ``issue`` and ``revoke``."""

    account_model: ClassVar[type[Account]]
    template_model: type[TemplateT]
    badge_model: ClassVar[type[ProviderBadge]]

    def account(self, template: BadgeTemplate) -> str:
        return self.mirrored(template).account.channel_account

    def accounts(self, templates: Sequence[BadgeTemplate]) -> Mapping[int, str]:
        """Two queries; none for templates whose accounts were asked for before, as those of a ruleset."""
        own, found = self.template_model.link_from_base(), {template.pk: template for template in templates}
        prefetch_related_objects(list(found.values()), f"{own}__{self.template_model.account_field}")
        try:
            return {pk: getattr(template, own).account.channel_account for pk, template in found.items()}
        except ObjectDoesNotExist as error:
            raise PermanentFailure(_NOT_MIRRORED) from error

    def account_name(self, account: str) -> str:
        return str(self.account_model.for_channel(account) or account)

    def fingerprint(self, account: str) -> str:
        row = self.account_model.for_channel(account)
        return row.key_fingerprint() if row else ""

    def badge_url(self, award: BadgeAward) -> str:
        return self.badge_urls([award]).get(award.pk, "")

    def badge_urls(self, awards: Sequence[BadgeAward]) -> Mapping[int, str]:
        """Two queries. Only the latest award of a badge has a URL, since the row says how that one stands."""
        badges = self.badge_model.objects.in_bulk([award.credential_id for award in awards])
        siblings = BadgeAward.objects.filter(progress__in={award.progress_id for award in awards})
        latest = dict(siblings.values_list("progress").annotate(Max("number")))
        return {
            award.pk: badge.public_url
            for award in awards
            if (badge := badges.get(award.credential_id)) is not None
            and badge.public_url
            and award.number == latest[award.progress_id]
        }

    def at_provider(self, awards: Sequence[BadgeAward]) -> Mapping[int, AtProvider]:
        """One query. What is known is about the latest award of a badge, which is the one that learners are shown."""
        badges = self.badge_model.objects.in_bulk([award.credential_id for award in awards])
        return {award.pk: badge.standing for award in awards if (badge := badges.get(award.credential_id)) is not None}

    def accepted(self, awards: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        """Only of the latest award of a badge it is known: a row says how that one stands."""
        # A value, not a join nor EXISTS: of a week, MySQL would begin with the badges of all weeks.
        state = self.badge_model.objects.filter(pk=OuterRef("credential")).values("state")[:1]
        later = BadgeAward.objects.filter(progress=OuterRef("progress"), number__gt=OuterRef("number"))
        is_latest = Q(revoked_at=None) | ~Exists(later)  # one that is open has none after it
        accepted = sorted(self.badge_model.PUBLIC_STATES)
        return awards.annotate(state_there=Subquery(state)).filter(is_latest, state_there__in=accepted)

    def prepare_issue(self, award: BadgeAward) -> None:
        """Create the badge that the provider does not know yet."""
        self.prepare_issues([award])

    def prepare_issues(self, awards: Sequence[BadgeAward]) -> None:
        """Create the badges that the provider does not know yet."""
        self.badge_model.start(awards)

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        self.record_many([(award, action, receipt)])

    def record_many(self, done: Sequence[tuple[BadgeAward, Action, Receipt]]) -> None:
        """Write the provider's replies, unless another award followed: a row is about the latest one."""
        siblings = BadgeAward.objects.filter(progress__in={award.progress_id for award, _, _ in done})
        latest = dict(siblings.values_list("progress").annotate(Max("number")))
        self.badge_model.note(
            {
                award.credential_id: {"external_id": receipt.external_id, "state": receipt.state}
                | ({"url": url} if (url := receipt.details.get("url")) else {})
                for award, _action, receipt in done
                if latest.get(award.progress_id, 0) <= award.number
            }
        )

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        self.badge_model.objects.filter(pk__in=[award.credential_id for award in awards]).update(url="")

    def notify(self, award: BadgeAward, action: Action) -> None:
        """Send the learner a message, if notifications are on: where to find the badge, or that it is revoked."""
        if not notifications.are_on():
            return
        if action is Action.REVOKE:
            notifications.notify(award, notifications.REVOKED)
            return
        badge = self.badge_model.objects.filter(pk=award.credential_id).first()
        notifications.notify(award, notifications.ISSUED, claim_url=badge.url if badge else "")

    def mirrored(self, template: BadgeTemplate) -> TemplateT:
        """Return the provider's part of a badge template. Raises PermanentFailure where there is none."""
        templates: QuerySet[TemplateT] = QuerySet(self.template_model)
        for mirrored in templates.filter(pk=template.pk).select_related(self.template_model.account_field):
            return mirrored
        raise PermanentFailure(_NOT_MIRRORED)

    def refusal(self, template: BadgeTemplate) -> str:
        """Return why the provider issues no badges of a template, for staff; empty when it does. One query."""
        mirrored = QuerySet(self.template_model).filter(pk=template.pk).first()
        return mirrored.refusal if mirrored is not None else ""


def register(backend: AccountBackend[Any, Any]) -> None:
    """Add the backend in the ``ready()`` of its app, and keep the stored API keys of its accounts readable.

    From then on nobody activates a template of which the provider would issue no badges.
    """
    keys.register(backend.account_model, "encrypted_key", is_used=lambda account: not account.key_is_in_settings)
    registry.register(backend)
    register_refusal(backend.template_model.provider, backend.refusal)


def examine_unknown(slug: str, external_id: str, earner_id: str, *, is_valid: bool) -> None:
    """Look at a badge that the provider reports and no row has. Raises TransientFailure while an issue is unsettled.

    The provider may report a badge before its reply to our request was recorded. It may also have carried out a request
    long after a look-up found nothing and the issue was cancelled, because the award was revoked: then the badge is
    revoked.
    """
    try:
        credential = UUID(earner_id)
    except ValueError:
        return
    if Delivery.objects.filter(backend=slug, external_id=external_id).exists():
        return
    issues = Delivery.objects.filter(backend=slug, action=Action.ISSUE, award__credential__uuid=credential)
    last = issues.select_related("award").order_by("-pk").first()
    if last is None:
        return
    if last.state in UNSETTLED:
        raise TransientFailure(_ISSUE_UNSETTLED)
    if last.state in NOT_DELIVERED and last.award.revoked_at is not None and is_valid:
        text = "%s issued badge %s late; its award %s is revoked, so the badge is being revoked."
        logger.warning(text, slug, external_id, last.award_id)
        queueing.revoke_found(last, external_id=external_id)
