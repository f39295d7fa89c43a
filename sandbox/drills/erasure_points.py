"""The points of a delivery's life at which learners are retired. Needs Django."""

from __future__ import annotations

from collections.abc import Callable

from badges_plugin.distribution import queueing
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import UNSETTLED, State
from badges_plugin.models import RetiredLearner
from sandbox.drills.catalog import Result
from sandbox.drills.erasure_cast import Cast, Theater, all_rows
from sandbox.drills.erasure_oracle import examine, kept
from sandbox.drills.stage import wait_until

WORKERS = 2
SETTLING_SECONDS = 90.0
_LOST_ANSWERS = {"applied": True, "manner": "drop", "times": None, "probability": 0.7}


def waiting(theater: Theater) -> Result:
    """Retire after the award, before any worker has looked."""
    cast = theater.cast("waiting")
    theater.stage.stop_workers()
    cast.pass_()
    return _retired_and_judged(theater, cast)


def claimed(theater: Theater) -> Result:
    """Retire while workers send, and the provider is slow."""
    cast = theater.cast("claimed")
    theater.stage.credly.slow_down(0.4)
    _start(theater)
    cast.pass_()
    wait_until(
        lambda: cast.deliveries.filter(state=State.SENDING).exists(), "a delivery was claimed", timeout=SETTLING_SECONDS
    )
    return _retired_and_judged(theater, cast)


def killed(theater: Theater) -> Result:
    """Retire after the workers were killed with claims, in the middle of requests."""
    cast = theater.cast("workers killed")
    _start(theater)
    theater.stage.credly.slow_down(0.4)
    cast.pass_()
    wait_until(
        lambda: cast.deliveries.filter(state=State.SENDING).exists(), "a delivery was claimed", timeout=SETTLING_SECONDS
    )
    _kill_all(theater)
    return _retired_and_judged(theater, cast)


def in_doubt(theater: Theater) -> Result:
    """Retire after answers were lost, so that the badges must be looked up."""
    cast = theater.cast("issue in doubt")
    _lose_answers(theater, "issue", "issue")
    cast.pass_()
    return _in_doubt_retired_and_judged(theater, cast, Action.ISSUE)


def issued(theater: Theater) -> Result:
    """Retire after everything was delivered."""
    cast = theater.cast("issued")
    cast.pass_()
    _settle(theater, cast)
    return _retired_and_judged(theater, cast)


def revocation_waiting(theater: Theater) -> Result:
    """Retire when badges are issued and about to be revoked."""
    cast = theater.cast("revocation waiting")
    cast.pass_()
    _settle(theater, cast)
    theater.stage.stop_workers()
    cast.fail()
    return _retired_and_judged(theater, cast)


def revocation_in_doubt(theater: Theater) -> Result:
    """Retire when badges are issued and perhaps revoked."""
    cast = theater.cast("revocation in doubt")
    cast.pass_()
    _settle(theater, cast)
    theater.stage.stop_workers()
    _lose_answers(theater, "revoke", "expire")
    cast.fail()
    return _in_doubt_retired_and_judged(theater, cast, Action.REVOKE)


def revoked(theater: Theater) -> Result:
    """Retire after everything was revoked."""
    cast = theater.cast("revoked")
    cast.pass_()
    _settle(theater, cast)
    cast.fail()
    _settle(theater, cast)
    return _retired_and_judged(theater, cast)


POINTS: tuple[Callable[[Theater], Result], ...] = (
    waiting,
    claimed,
    killed,
    in_doubt,
    issued,
    revocation_waiting,
    revocation_in_doubt,
    revoked,
)


def _in_doubt_retired_and_judged(theater: Theater, cast: Cast, action: Action) -> Result:
    _start(theater)
    doubtful = cast.deliveries.filter(action=action, in_doubt=True)
    wait_until(doubtful.exists, "a delivery was in doubt", timeout=SETTLING_SECONDS)
    _kill_all(theater)
    return _retired_and_judged(theater, cast)


def _retired_and_judged(theater: Theater, cast: Cast) -> Result:
    """Retire them, let the LMS and staff continue as before, and judge the result."""
    result = Result(cast.badge.name)
    cast.meet_a_bug()
    states = sorted({f"{each.action} {each.state}{' (in doubt)' if each.in_doubt else ''}" for each in cast.deliveries})
    cast.retire()
    theater.stage.credly.behave()
    theater.accredible.behave()
    result.problems.extend(cast.rescore())
    queueing.retry_now(cast.deliveries)
    _settle(theater, cast)
    queueing.retry_now(cast.deliveries)
    # A worker that starts looks at once for who was retired; one that runs does so every few minutes.
    sweeper = theater.stage.start_worker()
    gone = RetiredLearner.objects.filter(user__lms_user_id__in=[person.number for person in cast.leaving])
    wait_until(lambda: gone.count() == len(cast.leaving), "everybody's traces were erased", timeout=SETTLING_SECONDS)
    _settle(theater, cast)
    theater.stage.workers.remove(sweeper)
    sweeper.stop()
    result.remarks.append(f"Retired when there were: {', '.join(states)}.")
    _judge(theater, cast, result)
    return result


def _judge(theater: Theater, cast: Cast, result: Result) -> None:
    sent = examine(cast.leaving, theater.arrived(cast.badge))
    found = sorted(set(kept(cast.leaving, all_rows())))
    result.numbers |= {
        "retired": len(cast.leaving),
        "under way": sent.under_way,
        "looked up": sent.looked_up,
        "sent": len(sent.wrong),
        "kept": len(found),
    }
    result.problems.extend(sent.wrong)
    result.problems.extend(found)
    left = cast.deliveries.filter(state__in=UNSETTLED).count()
    result.demand(not left, f"{left} deliveries of retired learners are not settled")
    holding = {person.email for person in cast.staying if cast.badge.wanted[person.email].holds}
    at_credly = {
        badge["recipient_email"]
        for badge in cast.badge.credly.badges(organization_id=cast.badge.organization_id)
        if badge["live"]
    }
    at_accredible = {
        credential.recipient["email"]
        for credential in theater.accredible.credentials()
        if credential.group_id == cast.group.group_id and credential.is_alive
    }
    staying = {person.email for person in cast.staying}
    for where, live in (("Credly", at_credly), ("Accredible", at_accredible)):
        wronged = holding ^ (live & staying)
        result.demand(not wronged, f"{len(wronged)} learners who stayed do not have at {where} what they earned")


def _settle(theater: Theater, cast: Cast) -> None:
    _start(theater)
    open_ = cast.everybodys.filter(state__in=set(UNSETTLED) - {State.FAILED})
    wait_until(lambda: not open_.exists(), f"every delivery of {cast.badge.name} was settled", timeout=SETTLING_SECONDS)
    failed = Delivery.objects.filter(pk__in=cast.everybodys.filter(state=State.FAILED).values_list("pk", flat=True))
    for delivery in failed:
        raise AssertionError(f"A delivery needs attention: {delivery.last_error}")


def _start(theater: Theater) -> None:
    """Start workers, unless they run."""
    for _ in range(WORKERS - len(theater.stage.workers)):
        theater.stage.start_worker()


def _kill_all(theater: Theater) -> None:
    for worker in list(theater.stage.workers):
        theater.stage.kill_worker(worker)


def _lose_answers(theater: Theater, at_credly: str, at_accredible: str) -> None:
    theater.stage.credly.fail(**_LOST_ANSWERS, operation=at_credly)
    theater.accredible.fail(**_LOST_ANSWERS, operation=at_accredible)
