"""Make one attempt of a delivery: prepare it, carry it out, record the outcome.

``prepare`` and ``record`` use the database and run in the worker's main thread; ``carry_out`` uses the network and
runs in a thread. No transaction is open during a request to a provider.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin import retirement
from badges_plugin.distribution import channels, forgetting, rate_limit, recipients, registry, withdrawal
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Receipt
from badges_plugin.distribution.duplicates import badge_in_the_way
from badges_plugin.distribution.exceptions import (
    DeliveryFailure,
    NoName,
    NotSent,
    RejectedKey,
    TransientFailure,
)
from badges_plugin.distribution.models import AttemptOutcome, Delivery, DeliveryAttempt
from badges_plugin.distribution.queueing import retry_now, settle
from badges_plugin.distribution.requests import Job, bug, read_job
from badges_plugin.distribution.retry import Bug, Decision, Outcome, RetryPolicy, State, Verdict, decide, later
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

_STOPPED = gettext_noop("The worker was stopped before it came to this delivery.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of a job. ``shared`` is the same object where one request was for several jobs."""

    job: Job
    outcome: Outcome
    started_at: datetime
    seconds: float
    shared: object = None


def prepare(deliveries: Sequence[Delivery], config: DistributionConfig) -> list[Job]:
    """Read everything that requests need, and note where they go. Whatever fails here was certainly not sent."""
    fingerprints = {}
    for delivery in deliveries:
        # Read before the key itself: a key that changes in between is at worst tried once more.
        if delivery.channel_id not in fingerprints:
            backend = registry.get(delivery.backend)
            fingerprints[delivery.channel_id] = backend.fingerprint(delivery.channel.account)
    gone = retirement.retired_among(delivery.award.progress.user for delivery in deliveries)
    jobs = [
        read_job(
            delivery,
            registry.get(delivery.backend),
            fingerprints[delivery.channel_id],
            config,
            is_retired=delivery.award.progress.user_id in gone,
        )
        for delivery in deliveries
    ]
    _note_email_addresses(jobs)
    jobs = withdrawal.reread_retired(jobs, config)
    withdrawal.hold(jobs)
    return jobs


def _note_email_addresses(jobs: Sequence[Job]) -> None:
    issues = []
    for job in jobs:
        request = job.sendable
        if request is not None and request.action is Action.ISSUE:
            job.delivery.recipient_email = request.recipient.email
            issues.append(job.delivery)
    # Only while the claims hold: an expired one may be settled by now, and its e-mail address erased.
    claims = {delivery.claimed_by for delivery in issues}
    Delivery.objects.filter(claimed_by__in=claims).bulk_update(issues, ["recipient_email"])


def carry_out(job: Job, *, is_stopping: Callable[[], bool] | None = None) -> Attempt:
    """Send the request of a job. Never raises: an exception that a backend may not raise becomes a Bug.

    Once ``is_stopping`` returns true, no further request begins; the delivery then waits for another worker.
    """
    if is_stopping is not None and is_stopping():
        return not_begun(job)
    started_at, clock = timezone.now(), time.monotonic()
    outcome: Outcome
    if isinstance(job.request, Cancelled | DeliveryFailure | Bug):
        outcome = job.request
    else:
        withdrawn = job.request.withdrawn
        # Then the request has no e-mail address, and may be looked up. One that is withdrawn from now on has one.
        was_withdrawn = bool(withdrawn.reason)

        def must_not_begin() -> bool:
            return (bool(withdrawn.reason) and not was_withdrawn) or (is_stopping is not None and is_stopping())

        try:
            with rate_limit.until(job.request.send_before, unless=must_not_begin):
                outcome = job.backend.deliver(job.request)
        except DeliveryFailure as failure:
            failure.reason = recipients.redacted(failure.reason, job.request.recipient)
            outcome = failure
        except Exception as error:  # noqa: BLE001 - see above; it is logged and shown to staff
            outcome = bug(job.delivery, error)
    return Attempt(job, outcome, started_at, time.monotonic() - clock)


def not_begun(job: Job) -> Attempt:
    """Return the attempt of a job that no thread had begun when the worker stopped."""
    failure = NotSent(_STOPPED, ambiguous=job.delivery.in_doubt)
    return Attempt(job, failure, timezone.now(), 0.0)


def record(attempt: Attempt, *, policy: RetryPolicy, chance: float | None = None) -> Decision | None:
    """Write the outcome and the decision that follows; None when the claim had expired, so that it no longer counts."""
    delivery, outcome = attempt.job.delivery, attempt.outcome
    if isinstance(outcome, Receipt) and _is_withdrawn(attempt.job):
        outcome = replace(outcome, details={})
    in_the_way = badge_in_the_way(outcome)
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads load, hides nothing
    decision = decide(outcome, attempt=delivery.attempts, policy=policy, chance=chance)
    with transaction.atomic():
        if not _write_state(delivery, outcome, decision, in_the_way):
            logger.warning(
                "Delivery %s: the outcome came after the claim had expired; the badge is looked up instead.",
                delivery.pk,
            )
            return None
        if decision.state is State.FAILED:
            _reconsider(delivery)
        _write_attempt(attempt, decision)
        if isinstance(outcome, Receipt):
            attempt.job.backend.record(delivery.award, Action(delivery.action), outcome)
    if decision.state is not State.CANCELLED and retirement.is_gone(delivery.award.progress.user):
        # Retired during the request. Checked after the commit, so that nothing slips through: a learner who is retired
        # after this check is erased later, together with all of this.
        forgetting.erase([delivery])
    return decision


def note_channels(attempts: Sequence[Attempt], decisions: Sequence[Decision | None], *, policy: RetryPolicy) -> None:
    """Record what the attempts say about their accounts, without repeating what is known. Never fails.

    A request for several badges that fails is one failure of its account.
    """
    last: dict[int, Verdict] = {}
    said = set()
    for attempt, decision in zip(attempts, decisions, strict=True):
        if decision is None or decision.verdict is Verdict.NOTHING:
            continue
        channel, verdict = attempt.job.delivery.channel_id, decision.verdict
        repeats = last.get(channel) is verdict is Verdict.WORKS or (id(attempt.shared), verdict) in said
        if attempt.shared is not None:
            said.add((id(attempt.shared), verdict))
        last[channel] = verdict
        if not repeats:
            note_channel(attempt, decision, policy=policy)


def note_channel(attempt: Attempt, decision: Decision | None, *, policy: RetryPolicy) -> None:
    """Record what the attempt says about its account. Never fails.

    Outside the transaction: all awards of the account refer to the channel's row. Locked together with deliveries, it
    would deadlock on MySQL with revocations, which lock a delivery and then refer to the channel. If this is lost, the
    next attempt says it again.
    """
    if decision is None:
        return
    channel, fingerprint = attempt.job.delivery.channel, attempt.job.fingerprint
    try:
        channels.apply_verdict(channel, decision, fingerprint=fingerprint, now=timezone.now(), policy=policy)
    except DatabaseError as error:
        logger.warning("Channel %s could not be updated after an attempt: %s", channel, error)


def notify(attempt: Attempt, decision: Decision | None) -> None:
    """Notify the learner of a delivered badge, or log a failure. Outside the transaction; never fails."""
    delivery = attempt.job.delivery
    if decision is None or decision.state is State.CANCELLED:
        return
    if decision.state is not State.DONE:
        logger.warning("Delivery %s (%s) is %s: %s", delivery.pk, delivery, decision.state, decision.reason)
        return
    try:
        attempt.job.backend.notify(delivery.award, Action(delivery.action))
    except Exception as error:  # noqa: BLE001 - it is logged
        # The badge is delivered, even if the mail server is down. Without the error's message: a mail server quotes the
        # e-mail address that it refuses.
        described = describe_with_traceback(error)
        logger.error("Delivery %s is done, but the learner could not be notified: %s", delivery.pk, described)


def failed_to_record(attempt: Attempt, error: Exception) -> Attempt:
    """Return the attempt with the error as its outcome: the delivery is then in doubt and needs attention."""
    return replace(attempt, outcome=bug(attempt.job.delivery, error))


def _is_withdrawn(job: Job) -> bool:
    return isinstance(job.request, ProviderRequest) and bool(job.request.withdrawn.reason)


def _write_state(delivery: Delivery, outcome: Outcome, decision: Decision, in_the_way: BadgeAward | None) -> bool:
    """Write the new state, on condition that the claim still holds. Return whether it did."""
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, claimed_by=delivery.claimed_by)
    if decision.state in (State.DONE, State.CANCELLED):
        held = settle(mine, decision.state, reason=decision.reason, **_found(delivery, outcome))
        if held and isinstance(outcome, Cancelled):
            _cancel_revocation(delivery, decision)
        return bool(held)
    # The e-mail address of an unfinished issue is needed as long as the issue may have arrived.
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
    """Make a failed issue due whose award was revoked meanwhile: nobody must repair it, and others wait for it."""
    if delivery.action != Action.ISSUE or delivery.award.revoked_at is not None:
        return
    # A query of its own. As a condition of the update, MariaDB would lock the award, which a revocation holds while it
    # waits for the delivery.
    if BadgeAward.objects.filter(pk=delivery.award_id, revoked_at__isnull=False).exists():
        retry_now(Delivery.objects.filter(pk=delivery.pk))


def _cancel_revocation(delivery: Delivery, decision: Decision) -> None:
    """Cancel the revocation of a badge that the provider never had."""
    revocation = Delivery.objects.filter(
        award=delivery.award, backend=delivery.backend, action=Action.REVOKE, state=State.PENDING
    )
    settle(revocation, State.CANCELLED, reason=decision.reason)


def _write_attempt(attempt: Attempt, decision: Decision) -> None:
    delivery = attempt.job.delivery
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        outcome=_kind_of(attempt.outcome),
        looked_up=delivery.in_doubt,
        reason=decision.reason,
        started_at=attempt.started_at,
        milliseconds=int(attempt.seconds * 1000),
        worker=delivery.claimed_by,
    )


def _kind_of(outcome: Outcome) -> AttemptOutcome:
    match outcome:
        case Receipt(adopted=adopted):
            return AttemptOutcome.ADOPTED if adopted else AttemptOutcome.DELIVERED
        case Cancelled():
            return AttemptOutcome.CANCELLED
        case Bug():
            return AttemptOutcome.BUG
        case RejectedKey():
            return AttemptOutcome.REJECTED_KEY
        case TransientFailure():
            return AttemptOutcome.TRANSIENT
        case _:
            return AttemptOutcome.PERMANENT
