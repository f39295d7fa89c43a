"""One attempt of one delivery: read it, carry it out, write down what came of it.

``prepare`` and ``record`` use the database and run in the worker's main thread; ``carry_out`` uses the network and
runs in a thread. No transaction is open while a provider is spoken to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin import retirement
from badges_plugin.distribution import channels, forgetting, rate_limit, recipients, registry
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Receipt
from badges_plugin.distribution.exceptions import (
    DeliveryFailure,
    InTheWay,
    NoName,
    NotSent,
    RejectedKey,
    TransientFailure,
    redacted,
)
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.queueing import retry_now, settle
from badges_plugin.distribution.requests import request_for, retired
from badges_plugin.distribution.retry import Bug, Decision, Outcome, RetryPolicy, State, decide, later
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Job:
    """A claimed delivery, ready to be carried out. Where there is nothing to carry out, ``order`` is the outcome."""

    delivery: Delivery
    backend: Backend[Any]
    order: ProviderRequest[Any] | Cancelled | DeliveryFailure | Bug
    fingerprint: str


_at_hand: WeakValueDictionary[int, Job] = WeakValueDictionary()
"""What this process has claimed and not recorded yet, by delivery."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a job."""

    job: Job
    outcome: Outcome
    started_at: datetime
    seconds: float


def prepare(deliveries: Sequence[Delivery], config: DistributionConfig) -> list[Job]:
    """Read everything that requests need, and note where they go. Whatever goes wrong here was certainly not sent."""
    fingerprints = {}
    for delivery in deliveries:
        # Read before the key itself: a key that changes in between is at worst tried once more.
        if delivery.channel_id not in fingerprints:
            backend = registry.get(delivery.backend)
            fingerprints[delivery.channel_id] = backend.fingerprint(delivery.channel.account)
    gone = retirement.retired_among(delivery.award.progress.user for delivery in deliveries)
    jobs = [
        _job(
            delivery,
            fingerprints[delivery.channel_id],
            config,
            is_retired=delivery.award.progress.user_id in gone,
        )
        for delivery in deliveries
    ]
    addressed = []
    for job in jobs:
        if (
            isinstance(job.order, ProviderRequest)
            and job.order.action is Action.ISSUE
            and not job.order.withdrawn.reason
        ):
            job.delivery.recipient_email = job.order.recipient.email
            addressed.append(job.delivery)
    # Only while the claims hold: an expired one may be settled by now, and its address forgotten.
    claims = {delivery.claimed_by for delivery in addressed}
    Delivery.objects.filter(claimed_by__in=claims).bulk_update(addressed, ["recipient_email"])
    jobs = _without_retired(jobs, config)
    _at_hand.update({job.delivery.pk: job for job in jobs})
    return jobs


def withdraw_retired() -> None:
    """Stop what this process has at hand for learners who were retired, unless its request is under way already."""
    jobs = [
        job
        for job in list(_at_hand.values())
        if isinstance(job.order, ProviderRequest) and not job.order.withdrawn.reason
    ]
    for job in _of_retired(jobs):
        assert isinstance(job.order, ProviderRequest)  # noqa: S101 - for the type checker
        job.order.withdrawn.reason = retired()


def _without_retired(jobs: list[Job], config: DistributionConfig) -> list[Job]:
    """Look once more who was retired, after addresses were written: nobody who was is left with one."""
    again = {}
    for job in _of_retired(
        job for job in jobs if isinstance(job.order, ProviderRequest) and not job.order.withdrawn.reason
    ):
        job.delivery.recipient_email = ""
        Delivery.objects.filter(pk=job.delivery.pk).update(recipient_email="")
        again[job.delivery.pk] = _job(job.delivery, job.fingerprint, config, is_retired=True)
    return [again.get(job.delivery.pk, job) for job in jobs]


def _of_retired(jobs: Iterable[Job]) -> list[Job]:
    """The jobs whose learners were retired by now. One query."""
    candidates = list(jobs)
    gone = retirement.retired_among(job.delivery.award.progress.user for job in candidates)
    return [job for job in candidates if job.delivery.award.progress.user_id in gone]


def _job(delivery: Delivery, fingerprint: str, config: DistributionConfig, *, is_retired: bool) -> Job:
    backend = registry.get(delivery.backend)
    order: ProviderRequest[Any] | Cancelled | DeliveryFailure | Bug
    try:
        order = request_for(delivery, backend, config, is_retired=is_retired)
    except DeliveryFailure as failure:
        failure.ambiguous = delivery.in_doubt
        order = failure
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - the badge that cannot be read must not stop the others
        order = _bug(delivery, error)
    return Job(delivery, backend, order, fingerprint)


def carry_out(job: Job, *, is_stopping: Callable[[], bool] | None = None) -> Attempt:
    """Speak to the provider. Never raises: what a backend should not have raised is a Bug.

    Once ``is_stopping`` says so, no further request begins; the delivery then waits for another worker.
    """
    if is_stopping is not None and is_stopping():
        return not_begun(job)
    started_at, clock = timezone.now(), time.monotonic()
    outcome: Outcome
    if isinstance(job.order, Cancelled | DeliveryFailure | Bug):
        outcome = job.order
    else:
        withdrawn = job.order.withdrawn
        # Then the order has no address, and may be looked up. One that is withdrawn from now on has.
        was_withdrawn = bool(withdrawn.reason)

        def must_not_begin() -> bool:
            return (bool(withdrawn.reason) and not was_withdrawn) or (is_stopping is not None and is_stopping())

        try:
            with rate_limit.until(job.order.send_before, unless=must_not_begin):
                outcome = job.backend.deliver(job.order)
        except DeliveryFailure as failure:
            failure.reason = recipients.redacted(failure.reason, job.order.recipient)
            outcome = failure
        except Exception as error:  # noqa: BLE001 - see above; it is logged with its place and shown to staff
            outcome = _bug(job.delivery, error)
    return Attempt(job, outcome, started_at, time.monotonic() - clock)


def not_begun(job: Job) -> Attempt:
    """The attempt of a job that no thread has begun with when the worker stops."""
    failure = NotSent(_("The worker was stopped before it came to this delivery."), ambiguous=job.delivery.in_doubt)
    return Attempt(job, failure, timezone.now(), 0.0)


def record(attempt: Attempt, *, policy: RetryPolicy, chance: float | None = None) -> Decision | None:
    """Write down the outcome and what follows from it; None when the claim had expired and it no longer counts."""
    delivery, outcome = attempt.job.delivery, attempt.outcome
    if isinstance(outcome, Receipt) and _is_withdrawn(attempt.job):
        outcome = replace(outcome, details={})
    in_the_way = _badge_in_the_way(outcome)
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads load, hides nothing
    decision = decide(outcome, attempt=delivery.attempts, policy=policy, chance=chance)
    with transaction.atomic():
        if not _write_state(delivery, outcome, decision, in_the_way):
            logger.warning(
                "Delivery %s: the result came after the claim had expired and is looked up instead.", delivery.pk
            )
            return None
        if decision.state is State.FAILED:
            _reconsider(delivery)
        _write_attempt(attempt, decision)
        if isinstance(outcome, Receipt):
            attempt.job.backend.record(delivery.award, Action(delivery.action), outcome)
    if decision.state is not State.CANCELLED and retirement.is_gone(delivery.award.progress.user):
        # Retired while the request was under way. After the commit, so that nothing slips through in between: who is
        # retired after this look is erased later still, and all of this with them.
        forgetting.erase([delivery])
    return decision


def note_channel(attempt: Attempt, decision: Decision | None, *, policy: RetryPolicy) -> None:
    """Write down what the attempt says about its account. It never fails.

    Outside the transaction: all awards of the account refer to the channel's row. Held together with deliveries, it
    would have MySQL wait in a circle with revocations, which hold a delivery and then refer to the channel. What is
    lost in between, the next attempt says again.
    """
    if decision is None:
        return
    channel, fingerprint = attempt.job.delivery.channel, attempt.job.fingerprint
    try:
        channels.apply_verdict(channel, decision, fingerprint=fingerprint, now=timezone.now(), policy=policy)
    except DatabaseError as error:
        logger.warning("Channel %s: what an attempt says about it could not be noted: %s", channel, error)


def announce(attempt: Attempt, decision: Decision | None) -> None:
    """Tell the learner, or the log, what was recorded. Outside the transaction, and it never fails."""
    delivery = attempt.job.delivery
    if decision is None or decision.state is State.CANCELLED:
        return
    if decision.state is not State.DONE:
        logger.warning("Delivery %s (%s) is %s: %s", delivery.pk, delivery, decision.state, decision.reason)
        return
    try:
        attempt.job.backend.announce(delivery.award, Action(delivery.action))
    except Exception as error:  # noqa: BLE001 - it is logged
        # The badge is delivered; a mail server that is away must not make it look otherwise. Without the error's
        # message: a mail server quotes the address that it refuses.
        words = describe_with_traceback(error)
        logger.error("Delivery %s is done, but the learner could not be told: %s", delivery.pk, words)


def failed_to_record(attempt: Attempt, error: Exception) -> Attempt:
    """The same attempt with the error as its outcome: it is in doubt then, and needs attention."""
    return replace(attempt, outcome=_bug(attempt.job.delivery, error))


def _is_withdrawn(job: Job) -> bool:
    return isinstance(job.order, ProviderRequest) and bool(job.order.withdrawn.reason)


def _badge_in_the_way(outcome: Outcome) -> BadgeAward | None:
    """Whose badge it is that the provider has at the address. The reason says so, by keys and not by names."""
    if not isinstance(outcome, InTheWay):
        return None
    award = _award_of(outcome.earner_id)
    if award is None:
        text = _(
            "The provider refuses the badge as a duplicate: it has one at the same e-mail address, of nobody here. "
            "Give the learner another address, or delete that badge at the provider, and retry."
        )
    else:
        text = _(
            "The provider refuses the badge as a duplicate: at the same e-mail address it has that of award %(award)d, "
            "of user %(user)d. Two learners share an address. Give this one another, and retry."
        ) % {"award": award.pk, "user": award.progress.user_id}
    outcome.reason = redacted(f"{text} ({outcome.reason})")
    return award


def _award_of(earner_id: str) -> BadgeAward | None:
    try:
        credential = UUID(earner_id)
    except ValueError:
        return None
    awards = BadgeAward.objects.filter(credential__uuid=credential).select_related("progress")
    return awards.order_by("-number").first()


def _write_state(delivery: Delivery, outcome: Outcome, decision: Decision, in_the_way: BadgeAward | None) -> bool:
    """Whether the claim still held. The claim is the condition: a late result changes nothing."""
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, claimed_by=delivery.claimed_by)
    if decision.state in (State.DONE, State.CANCELLED):
        held = settle(mine, decision.state, reason=decision.reason, **_found(delivery, outcome))
        if held and isinstance(outcome, Cancelled):
            _cancel_revocation(delivery, decision)
        return bool(held)
    # Where an unfinished issue was sent matters as long as it may have arrived.
    forget = {} if decision.in_doubt else {"recipient_email": ""}
    return bool(
        mine.update(
            state=decision.state,
            in_doubt=decision.in_doubt,
            next_attempt_at=later(timezone.now(), decision.wait),
            claimed_by="",
            claimed_until=None,
            last_error=decision.reason,
            awaits_name=isinstance(outcome, NoName),
            in_the_way=in_the_way,
            **forget,
        )
    )


def _found(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    """Return what a receipt tells of the badge."""
    if not isinstance(outcome, Receipt):
        return {}
    expires_at = outcome.expires_at if registry.get(delivery.backend).expires_badges else None
    return {"external_id": outcome.external_id, "expires_at": expires_at}


def _reconsider(delivery: Delivery) -> None:
    """An issue whose award was revoked while it was under way needs no repair, and must not hold up what follows."""
    if delivery.action != Action.ISSUE or delivery.award.revoked_at is not None:
        return
    # Asked by itself. As a condition of the update, MariaDB would lock the award for it, which a revocation holds
    # while it waits for the delivery.
    if BadgeAward.objects.filter(pk=delivery.award_id, revoked_at__isnull=False).exists():
        retry_now(Delivery.objects.filter(pk=delivery.pk))


def _cancel_revocation(delivery: Delivery, decision: Decision) -> None:
    """The provider never had the badge, so there is nothing to revoke."""
    revocation = Delivery.objects.filter(
        award=delivery.award, backend=delivery.backend, action=Action.REVOKE, state=State.PENDING
    )
    settle(revocation, State.CANCELLED, reason=decision.reason)


def _write_attempt(attempt: Attempt, decision: Decision) -> None:
    delivery = attempt.job.delivery
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        outcome=_word(attempt.outcome),
        looked_up=delivery.in_doubt,
        reason=decision.reason,
        started_at=attempt.started_at,
        milliseconds=int(attempt.seconds * 1000),
        worker=delivery.claimed_by,
    )


def _word(outcome: Outcome) -> str:
    match outcome:
        case Receipt(adopted=adopted):
            return "adopted" if adopted else "delivered"
        case Cancelled():
            return "cancelled"
        case Bug():
            return "bug"
        case RejectedKey():
            return "rejected_key"
        case TransientFailure():
            return "transient"
        case _:
            return "permanent"


def _bug(delivery: Delivery, error: Exception) -> Bug:
    # Its message, without personal data, is the reason of the delivery.
    logger.error("Delivery %s hit an error in the program: %s", delivery.pk, describe_with_traceback(error))
    return Bug(redacted(f"{type(error).__name__}: {error}"))
