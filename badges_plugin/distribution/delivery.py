"""Make one attempt of a delivery: prepare it and carry it out. ``recording`` writes the outcome.

``prepare`` uses the database and runs in the worker's main thread; ``carry_out`` uses the network and runs in a thread.
No transaction is open during a request to a provider.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin import retirement, updating
from badges_plugin.distribution import rate_limit, recipients, registry, withdrawal
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.data import Action, Cancelled
from badges_plugin.distribution.exceptions import DeliveryFailure, NotSent
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.requests import Contexts, Job, bug, read_job
from badges_plugin.distribution.retry import Bug, Outcome, State

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
    contexts = Contexts()
    gone = retirement.retired_among(delivery.award.progress.user for delivery in deliveries)
    contexts.read_many([each for each in deliveries if each.award.progress.user_id not in gone])
    jobs = [
        read_job(
            delivery,
            registry.get(delivery.backend),
            fingerprints[delivery.channel_id],
            config,
            contexts=contexts,
            is_retired=delivery.award.progress.user_id in gone,
        )
        for delivery in deliveries
    ]
    _note_email_addresses(jobs)
    jobs = withdrawal.reread_retired(jobs, config)
    withdrawal.hold(jobs)
    return jobs


def _note_email_addresses(jobs: Sequence[Job]) -> None:
    issues: dict[int, Delivery] = {}
    for job in jobs:
        request = job.sendable
        if request is not None and request.action is Action.ISSUE:
            job.delivery.recipient_email = request.recipient.email
            issues[job.delivery.pk] = job.delivery
    if not issues:
        return
    with transaction.atomic():
        # Only while the claims hold: an expired one may be settled by now, and its e-mail address erased.
        held = lock_held(list(issues.values()))
        updating.update([issues[pk] for pk in sorted(held)], ["recipient_email"])


def lock_held(deliveries: Sequence[Delivery]) -> set[int]:
    """Lock the deliveries whose claims hold, in the order of their keys, and return their keys.

    By key alone: locked by another index as well, they could deadlock with a revocation.
    """
    claims = {delivery.pk: delivery.claimed_by for delivery in deliveries}
    rows = Delivery.objects.filter(pk__in=claims, state=State.SENDING).select_for_update().order_by("pk")
    return {pk for pk, claimed_by in rows.values_list("pk", "claimed_by") if claims[pk] == claimed_by}


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
