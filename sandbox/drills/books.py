"""Compare our own database with Credly after a drill. Needs Django."""

from __future__ import annotations

from django.db.models import QuerySet

from badges_plugin.distribution.credly.models import CredlyBadge as CredlyBadgeRow
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.distribution.retry import UNSETTLED, State
from sandbox.drills.badges import CredlyBadge
from sandbox.drills.catalog import Result
from sandbox.drills.stage import wait_until
from sandbox.drills.verdict import ISSUED_TWICE, MISSING, NOT_REVOKED, REVOKED_FIRST, REVOKED_TWICE, judge


def deliveries(badge: CredlyBadge) -> QuerySet[Delivery]:
    return Delivery.objects.filter(channel__account=badge.organization_id)


def attempts(badge: CredlyBadge) -> QuerySet[DeliveryAttempt]:
    return DeliveryAttempt.objects.filter(delivery__channel__account=badge.organization_id)


def channel(badge: CredlyBadge) -> Channel:
    return Channel.objects.get(account=badge.organization_id)


def wait_until_settled(badge: CredlyBadge, *, timeout: float) -> None:
    """Wait until no delivery is waiting or being sent. Deliveries that need attention are left for the verdict."""
    open_ = deliveries(badge).filter(state__in=set(UNSETTLED) - {State.FAILED})
    wait_until(lambda: not open_.exists(), f"every delivery of {badge.name} was settled", timeout=timeout)


def close(badge: CredlyBadge, result: Result) -> None:
    """Compare the expected state, Credly's badges and our database, and fill in the result."""
    journal = [e for e in badge.credly.journal() if e["organization_id"] == badge.organization_id]
    badges = badge.credly.badges(organization_id=badge.organization_id)
    verdict = judge(badge.wanted, journal, badges)
    outcomes = attempts(badge)
    result.numbers |= {
        "awards": sum(want.awards for want in badge.wanted.values()),
        "held": sum(want.holds for want in badge.wanted.values()),
        "requests": len(journal),
        "issued": verdict.issued,
        "revoked": verdict.revoked,
        "cancelled": deliveries(badge).filter(state=State.CANCELLED, action="issue").count(),
        "failures": outcomes.filter(outcome__in=("transient", "rejected_key")).count(),
        "adopted": outcomes.filter(outcome="adopted").count(),
        "missing": verdict.counts[MISSING],
        "not revoked": verdict.counts[NOT_REVOKED],
        "issued twice": verdict.counts[ISSUED_TWICE],
        "revoked first": verdict.counts[REVOKED_FIRST],
        "revoked twice": verdict.counts[REVOKED_TWICE],
    }
    if badge.repetitions:
        result.remarks.append(f"{badge.repetitions} times an event met a transient database error and was retried.")
    result.problems.extend(verdict.problems)
    _compare_books(badge, badges, result)


def _compare_books(badge: CredlyBadge, badges: list[dict[str, object]], result: Result) -> None:
    attention = deliveries(badge).filter(state=State.FAILED).count()
    result.demand(not attention, f"{attention} deliveries need attention")
    live = {str(row["id"]) for row in badges if row["live"]}
    # An award is held as long as the host's credential says so.
    known = CredlyBadgeRow.objects.filter(credential_id=badge.template.pk, status=CredlyBadgeRow.AWARDED)
    ours = {str(identifier) for identifier in known.values_list("external_id", flat=True)}
    result.demand(ours == live, f"{len(ours ^ live)} badges are known on one side only")
