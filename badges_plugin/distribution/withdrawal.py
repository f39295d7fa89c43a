"""Withdraw what a worker holds for learners who were retired while it waited."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakValueDictionary

from badges_plugin import retirement
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.requests import RETIRED, Job, read_job

_held: WeakValueDictionary[int, Job] = WeakValueDictionary()
"""The jobs that this process has claimed and not recorded yet, by delivery."""


def hold(jobs: Iterable[Job]) -> None:
    """Let ``withdraw_retired`` know of jobs, as long as they exist."""
    _held.update({job.delivery.pk: job for job in jobs})


def withdraw_retired() -> None:
    """Withdraw held jobs of learners who were retired, unless their requests have begun. One query."""
    for job in _of_retired(_held.values()):
        if (request := job.sendable) is not None:
            request.withdrawn.reason = RETIRED


def reread_retired(jobs: list[Job], config: DistributionConfig) -> list[Job]:
    """Read the jobs of learners again who were retired since they were read, and erase where those were going.

    Called after the e-mail addresses were written, so that no retired learner is left with one.
    """
    again = {}
    for job in _of_retired(jobs):
        job.delivery.recipient_email = ""
        Delivery.objects.filter(pk=job.delivery.pk).update(recipient_email="")
        again[job.delivery.pk] = read_job(job.delivery, job.backend, job.fingerprint, config, is_retired=True)
    return [again.get(job.delivery.pk, job) for job in jobs]


def _of_retired(jobs: Iterable[Job]) -> list[Job]:
    """Return the sendable jobs whose learners are retired by now. One query."""
    candidates = [job for job in list(jobs) if job.sendable is not None]
    gone = retirement.retired_among(job.delivery.award.progress.user for job in candidates)
    return [job for job in candidates if job.delivery.award.progress.user_id in gone]
