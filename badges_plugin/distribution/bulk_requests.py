"""Issue several badges with one request, where the provider's backend can and there is a backlog."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from django.utils import timezone
from edx_django_utils.monitoring import function_trace, set_custom_attribute

from badges_plugin.distribution import rate_limit, recipients
from badges_plugin.distribution.backends import ManyOutcome
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Receipt
from badges_plugin.distribution.delivery import Attempt, carry_out, not_begun
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.distribution.requests import Job, bug
from badges_plugin.distribution.retry import Outcome


def bundles(jobs: Sequence[Job], *, requests: int) -> list[list[Job]]:
    """Return the jobs in groups, each for one request: issues of one account together, every other job alone.

    If so many ``requests`` are enough for the jobs, each is alone: there is no backlog, and alone it is faster. Of the
    issues, only those share a request that are certainly to be sent: a badge in doubt is looked up first, by itself.
    """
    if len(jobs) <= requests:
        return [[job] for job in jobs]
    together: dict[int, list[list[Job]]] = defaultdict(list)
    alone = []
    for job in jobs:
        size = job.backend.bulk_size()
        if size < 2 or not _can_share(job):
            alone.append([job])
            continue
        groups = together[job.delivery.channel_id]
        if not groups or len(groups[-1]) >= size:
            groups.append([])
        groups[-1].append(job)
    return [group for groups in together.values() for group in groups] + alone


def carry_out_all(jobs: Sequence[Job], *, is_stopping: Callable[[], bool] | None = None) -> list[Attempt]:
    """Carry out the jobs of a group, with one request if possible. Never raises, like ``carry_out``.

    .. custom_attribute_name: badges_delivery_backend
    .. custom_attribute_description: The provider that a worker's thread asks.
    .. custom_attribute_name: badges_delivery_action
    .. custom_attribute_description: What for: "issue" or "revoke".
    .. custom_attribute_name: badges_delivery_number
    .. custom_attribute_description: For how many badges.
    """
    with function_trace("badges.deliver"):
        set_custom_attribute("badges_delivery_backend", jobs[0].delivery.backend)
        set_custom_attribute("badges_delivery_action", jobs[0].delivery.action)
        set_custom_attribute("badges_delivery_number", len(jobs))
        return _carry_out_all(jobs, is_stopping)


def _carry_out_all(jobs: Sequence[Job], is_stopping: Callable[[], bool] | None) -> list[Attempt]:
    withdrawn = [job for job in jobs if job.sendable is None]
    attempts = [carry_out(job, is_stopping=is_stopping) for job in withdrawn]
    rest = [job for job in jobs if job not in withdrawn]
    if len(rest) < 2:
        return attempts + [carry_out(job, is_stopping=is_stopping) for job in rest]
    if is_stopping is not None and is_stopping():
        return attempts + [not_begun(job) for job in rest]
    return attempts + _carry_out_together(rest, is_stopping)


def _carry_out_together(jobs: Sequence[Job], is_stopping: Callable[[], bool] | None) -> list[Attempt]:
    started_at, clock = timezone.now(), time.monotonic()
    requests = [job.request for job in jobs if isinstance(job.request, ProviderRequest)]

    def must_not_begin() -> bool:
        return any(request.withdrawn.reason for request in requests) or (is_stopping is not None and is_stopping())

    with rate_limit.until(min(request.send_before for request in requests), unless=must_not_begin):
        outcomes = jobs[0].backend.deliver_many(requests)
    _redact(outcomes, requests)
    seconds = time.monotonic() - clock
    return [
        Attempt(job, _readable(outcome, job), started_at, seconds, shared=requests)
        for job, outcome in zip(jobs, outcomes, strict=True)
    ]


def _can_share(job: Job) -> bool:
    request = job.sendable
    return (
        request is not None
        and request.action is Action.ISSUE
        and not request.in_doubt
        and request.wanted
        and not request.restores
        and (bool(request.recipient.first_name) or not job.backend.needs_name)
    )


def _redact(outcomes: Sequence[ManyOutcome], requests: Sequence[ProviderRequest[object]]) -> None:
    """Remove the recipients from the reasons. The failure of a whole request may name any of them."""
    for outcome, request in zip(outcomes, requests, strict=True):
        if isinstance(outcome, DeliveryFailure):
            outcome.reason = recipients.redacted(outcome.reason, request.recipient)


def _readable(outcome: ManyOutcome, job: Job) -> Outcome:
    return outcome if isinstance(outcome, Receipt | Cancelled | DeliveryFailure) else bug(job.delivery, outcome)
