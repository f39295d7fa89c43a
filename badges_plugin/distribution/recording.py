"""Write the outcomes of attempts, and what follows from them. In the worker's main thread, with the database."""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from badges_plugin import retirement, updating
from badges_plugin.distribution import channels, forgetting, registry
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Receipt
from badges_plugin.distribution.delivery import Attempt, lock_held
from badges_plugin.distribution.duplicates import badge_in_the_way
from badges_plugin.distribution.exceptions import NoName, RejectedKey, TransientFailure
from badges_plugin.distribution.models import AttemptOutcome, Delivery, DeliveryAttempt
from badges_plugin.distribution.queueing import retry_now, settle, settled
from badges_plugin.distribution.requests import Job, bug
from badges_plugin.distribution.retry import Bug, Decision, Outcome, RetryPolicy, State, Verdict, decide, later
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)


def record(attempt: Attempt, *, policy: RetryPolicy, chance: float | None = None) -> Decision | None:
    """Write the outcome and the decision that follows; None when the claim had expired, so that it no longer counts."""
    return record_all([attempt], policy=policy, chance=chance)[0]


def record_all(
    attempts: Sequence[Attempt], *, policy: RetryPolicy, chance: float | None = None
) -> list[Decision | None]:
    """Do the same for many attempts in one transaction: all are recorded, or none and an exception is raised."""
    attempts = [_without_personal_details(attempt) for attempt in attempts]
    with transaction.atomic():
        # Before the decisions: it completes the reasons.
        in_the_way = {attempt.job.delivery.pk: badge_in_the_way(attempt.outcome) for attempt in attempts}
        decisions = [_decide(attempt, policy, chance) for attempt in attempts]
        kept = _write_states(attempts, decisions, in_the_way)
        counted = [(each, decision) for each, decision in zip(attempts, decisions, strict=True) if kept(each)]
        DeliveryAttempt.objects.bulk_create([_logged(*each) for each in counted])
        _record_receipts([attempt for attempt, _decision in counted])
    _erase_retired([each for each, made in zip(attempts, decisions, strict=True) if made.state is not State.CANCELLED])
    return [decision if kept(attempt) else None for attempt, decision in zip(attempts, decisions, strict=True)]


def _record_receipts(attempts: Sequence[Attempt]) -> None:
    """Let the backends write what the providers did."""
    done: dict[Backend[Any], list[tuple[BadgeAward, Action, Receipt]]] = defaultdict(list)
    for attempt in attempts:
        if isinstance(attempt.outcome, Receipt):
            delivery = attempt.job.delivery
            done[attempt.job.backend].append((delivery.award, Action(delivery.action), attempt.outcome))
    for backend, receipts in done.items():
        backend.record_many(receipts)


def _erase_retired(attempts: Sequence[Attempt]) -> None:
    """Erase what was written about learners who were retired during the requests.

    Checked after the commit, so that nothing slips through: a learner who is retired after this check is erased later,
    together with all of this. Also where the claims had expired: they seem to when the database goes away between the
    commit and this check, and everything is recorded again.
    """
    gone = retirement.retired_among(attempt.job.delivery.award.progress.user for attempt in attempts)
    deliveries = [attempt.job.delivery for attempt in attempts]
    if theirs := [each for each in deliveries if each.award.progress.user_id in gone]:
        forgetting.erase(theirs)


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
    if delivery.action == Action.CORRECT:
        return  # the provider tells the learner, if anybody does
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


def _without_personal_details(attempt: Attempt) -> Attempt:
    if isinstance(attempt.outcome, Receipt) and _is_withdrawn(attempt.job):
        return replace(attempt, outcome=replace(attempt.outcome, details={}))
    return attempt


def _decide(attempt: Attempt, policy: RetryPolicy, chance: float | None) -> Decision:
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads load, hides nothing
    return decide(attempt.outcome, attempt=attempt.job.delivery.attempts, policy=policy, chance=chance)


def _is_withdrawn(job: Job) -> bool:
    return isinstance(job.request, ProviderRequest) and bool(job.request.withdrawn.reason)


def _write_states(
    attempts: Sequence[Attempt], decisions: Sequence[Decision], in_the_way: Mapping[int, BadgeAward | None]
) -> Callable[[Attempt], bool]:
    """Write the new states, on condition that the claims still hold. Return a function that tells whether one did."""
    delivered, kept = [], set()
    held = lock_held([attempt.job.delivery for attempt in attempts])
    for attempt, decision in zip(attempts, decisions, strict=True):
        delivery, outcome = attempt.job.delivery, attempt.outcome
        if delivery.pk not in held:
            logger.warning(
                "Delivery %s: the outcome came after the claim had expired; the badge is looked up instead.",
                delivery.pk,
            )
            continue
        kept.add(delivery.pk)
        if decision.state is State.DONE:
            delivered.append(_settled_copy(delivery, outcome, decision))
        else:
            _write_undelivered(delivery, outcome, decision, in_the_way[delivery.pk])
    # One statement for nearly all that a worker records. The locked rows cannot be deleted meanwhile.
    updating.update(delivered, [*settled(State.DONE), "external_id", "expires_at"])
    return lambda attempt: attempt.job.delivery.pk in kept


def _settled_copy(delivery: Delivery, outcome: Outcome, decision: Decision) -> Delivery:
    changed = copy.copy(delivery)
    for name, value in {**settled(decision.state, decision.reason), **_found(delivery, outcome)}.items():
        setattr(changed, name, value)
    return changed


def _write_undelivered(delivery: Delivery, outcome: Outcome, decision: Decision, in_the_way: BadgeAward | None) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk)
    if decision.state is State.CANCELLED:
        settle(mine, decision.state, reason=decision.reason)
        # Not with a correction that is not needed any more: the badge is there, and is to be revoked.
        if isinstance(outcome, Cancelled) and delivery.action == Action.ISSUE:
            _cancel_revocation(delivery, decision)
        return
    # The e-mail address of an unfinished issue is needed as long as the issue may have arrived.
    forget = {} if decision.in_doubt else {"recipient_email": ""}
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
    if decision.state is State.FAILED:
        _reconsider(delivery)


def _found(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    """Return what a receipt tells of the badge."""
    if not isinstance(outcome, Receipt):
        return {}
    expires_at = outcome.expires_at if registry.get(delivery.backend).expires_badges else None
    return {"external_id": outcome.external_id, "expires_at": expires_at}


def _reconsider(delivery: Delivery) -> None:
    """Make due what failed although its award was revoked meanwhile: nobody must repair it, and others wait for it."""
    if delivery.action == Action.REVOKE or delivery.award.revoked_at is not None:
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


def _logged(attempt: Attempt, decision: Decision) -> DeliveryAttempt:
    delivery = attempt.job.delivery
    return DeliveryAttempt(
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
