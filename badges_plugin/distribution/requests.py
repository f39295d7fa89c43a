"""Turn a claimed delivery into a job for a thread: everything that the request needs, read from the database."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin import reasons, retirement
from badges_plugin.distribution import recipients, registry
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Recipient, Withdrawal
from badges_plugin.distribution.exceptions import DeliveryFailure, PermanentFailure, redacted
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import NOT_DELIVERED, Bug
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, Correction, CorrectionKind, Ending
from badges_plugin.redaction import describe, describe_with_traceback

logger = get_logger(__name__)

RETIRED = gettext_noop("The learner was retired: nothing is sent for them any more.")
_NOTHING_TO_REVOKE = gettext_noop("The issue of this award left no id at the provider, so nothing can be revoked.")
_EXPIRED_THERE = gettext_noop("The badge has expired at the provider by itself.")


_NAMING = (Action.ISSUE, Action.CORRECT)
"""Deliveries that know the provider's id of a badge."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Job:
    """A claimed delivery, ready for a thread. Where nothing is to be sent, ``request`` is the outcome already."""

    delivery: Delivery
    backend: Backend[Any]
    request: ProviderRequest[Any] | Cancelled | DeliveryFailure | Bug
    fingerprint: str

    @property
    def sendable(self) -> ProviderRequest[Any] | None:
        """The request, unless there is none or it was withdrawn."""
        request = self.request
        return request if isinstance(request, ProviderRequest) and not request.withdrawn.reason else None


class Contexts:
    """The results of ``Backend.load``. One that depends on the template alone is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Any] = {}
        self._read: dict[str, Mapping[int, Any]] = {}

    def read_many(self, deliveries: Sequence[Delivery]) -> None:
        """Let the backends read what they read for many awards at once. Those of retired learners are none of them."""
        awards: dict[str, list[BadgeAward]] = defaultdict(list)
        for delivery in deliveries:
            if delivery.action == Action.ISSUE:
                awards[delivery.backend].append(delivery.award)
        for slug, own in awards.items():
            try:
                self._read[slug] = registry.get(slug).load_many(own)
            except DatabaseError:
                raise
            except Exception as error:  # noqa: BLE001 - then each is read by itself, and the one that fails is found
                logger.warning("The badges of %s are read one by one: %s", slug, describe(error))

    def of(self, award: BadgeAward, backend: Backend[Any]) -> Any:
        """Return the context of an award, or raise the failure of ``load``."""
        read = self._read.get(backend.slug, {})
        if award.pk in read:
            if isinstance(found := read[award.pk], DeliveryFailure):
                raise found
            return found
        if not backend.loads_by_template:
            return backend.load(award)
        key = backend.slug, award.progress.template_id
        if key not in self._known:
            self._known[key] = backend.load(award)
        return self._known[key]


def read_job(
    delivery: Delivery,
    backend: Backend[Any],
    fingerprint: str,
    config: DistributionConfig,
    *,
    is_retired: bool,
    contexts: Contexts | None = None,
) -> Job:
    """Read the job of a delivery. A badge that cannot be read does not stop the others; a database error does."""
    request: ProviderRequest[Any] | Cancelled | DeliveryFailure | Bug
    try:
        request = request_for(delivery, backend, config, is_retired=is_retired, contexts=contexts)
    except DeliveryFailure as failure:
        failure.ambiguous = delivery.in_doubt
        request = failure
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        request = bug(delivery, error)
    return Job(delivery, backend, request, fingerprint)


def request_for(
    delivery: Delivery,
    backend: Backend[Any],
    config: DistributionConfig,
    *,
    is_retired: bool | None = None,
    contexts: Contexts | None = None,
) -> ProviderRequest[Any] | Cancelled:
    """Return what the backend needs to carry the delivery out.

    Nothing is sent for a retired learner: a delivery in doubt is looked up, without the learner's e-mail address.
    Raises PermanentFailure when there is nothing to revoke, and the failures of the backend's ``load``.
    """
    award, action = delivery.award, Action(delivery.action)
    is_retired = retirement.is_gone(award.user) if is_retired is None else is_retired
    if is_retired and not delivery.in_doubt:
        return Cancelled(RETIRED)
    if isinstance(external_id := _issued_id(delivery, is_retired=is_retired), Cancelled):
        return external_id
    return ProviderRequest(
        action=action,
        award_id=award.pk,
        number=award.number,
        template_uuid=award.template.uuid,
        # Providers refuse a date in the future, as another machine's clock may give.
        awarded_at=min(award.awarded_at, timezone.now()),
        reason=_reason(award, backend),
        recipient=_recipient(delivery, is_retired=is_retired),
        account=delivery.channel.account,
        context=(contexts or Contexts()).of(award, backend),
        external_id=external_id,
        foreign_ids=_foreign_ids(delivery),
        in_doubt=delivery.in_doubt,
        wanted=action is Action.REVOKE or award.revoked_at is None,
        expires_at=award.expires_at,
        renews=_renews(delivery),
        restores=_restored_id(delivery, backend),
        send_before=_send_before(delivery, config),
        withdrawn=Withdrawal(RETIRED if is_retired else ""),
    )


def bug(delivery: Delivery, error: Exception) -> Bug:
    """Log an unexpected exception. Its message, without personal data, becomes the reason of the delivery."""
    logger.error("Delivery %s failed with an unexpected error: %s", delivery.pk, describe_with_traceback(error))
    return Bug(redacted(f"{type(error).__name__}: {error}"))


def _recipient(delivery: Delivery, *, is_retired: bool) -> Recipient:
    award, email = delivery.award, delivery.recipient_email
    return recipients.recipient(award.user, earner_id=str(award.credential.uuid), email=email, is_retired=is_retired)


def _issued_id(delivery: Delivery, *, is_retired: bool) -> str | Cancelled:
    """Return the provider's id of the badge to revoke or correct, or why nothing has to be done; empty for an issue."""
    if delivery.action == Action.ISSUE:
        return ""
    # The correction of a name may have replaced the badge.
    known = Delivery.objects.filter(award=delivery.award, backend=delivery.backend, action__in=_NAMING)
    issue = known.exclude(external_id="").order_by("-pk").first()
    if issue is None or not issue.external_id:
        if is_retired:
            return Cancelled(RETIRED)
        raise PermanentFailure(_NOTHING_TO_REVOKE)
    return Cancelled(_EXPIRED_THERE) if issue.ends_by_itself(delivery.award) else issue.external_id


def _send_before(delivery: Delivery, config: DistributionConfig) -> float:
    # Counted from the claim, not from now: a slow database must not make the claim look longer.
    now = timezone.now()
    left = ((delivery.claimed_until or now) - now).total_seconds()
    return time.monotonic() + left - (config.lease - config.time_to_send)


def _reason(award: BadgeAward, backend: Backend[Any]) -> str:
    """Return why the award ended, for people who read it at the provider; not in the language of who is at work."""
    with reasons.in_site_language(backend.language()):
        return award.reason


def _renews(delivery: Delivery) -> bool:
    if delivery.action != Action.ISSUE or delivery.award.number == 1:
        return False
    # Any, not only the last: the badge of one that expired is still there when the next one was revoked.
    earlier = BadgeAward.objects.filter(progress=delivery.award.progress_id, number__lt=delivery.award.number)
    return earlier.filter(ended_by=Ending.EXPIRED).exists()


def _restored_id(delivery: Delivery, backend: Backend[Any]) -> str:
    """Return the provider's id of the badge that the award gives back; empty if there is none, or no way back."""
    award = delivery.award
    if not backend.restores_badges or delivery.action != Action.ISSUE or award.number == 1:
        return ""
    if not Correction.objects.filter(award=award.pk, kind=CorrectionKind.GIVEN_BACK).exists():
        return ""
    earlier = Delivery.objects.filter(
        award__progress=award.progress_id,
        award__number=award.number - 1,
        backend=delivery.backend,
        action__in=_NAMING,
    )
    return earlier.exclude(external_id="").order_by("-pk").values_list("external_id", flat=True).first() or ""


def _foreign_ids(delivery: Delivery) -> frozenset[str]:
    if delivery.action != Action.ISSUE or delivery.award.number == 1:
        return frozenset()
    others = Delivery.objects.filter(
        award__progress=delivery.award.progress_id, backend=delivery.backend, action__in=_NAMING
    ).exclude(award=delivery.award_id)
    # A badge whose revocation staff gave up still exists: where no second one is allowed, it is this award's as well.
    left_alone = Delivery.objects.filter(
        award=OuterRef("award"), backend=delivery.backend, action=Action.REVOKE, state__in=NOT_DELIVERED
    )
    others = others.exclude(Exists(left_alone)).exclude(external_id="")
    return frozenset(others.values_list("external_id", flat=True))
