"""Drill: Credly misbehaves with errors, silence after it accepted, broken connections, 429."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sandbox.credly.records import Json
from sandbox.drills.badges import CredlyBadge
from sandbox.drills.books import close, deliveries, wait_until_settled
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import DISTRIBUTION, Stage, wait_until

Fault = dict[str, Any]

RETRY_AFTER = 3
# What is under way when Credly asks for a pause arrives within this time, and nothing arrives after it.
UNDER_WAY_SECONDS = 1.0
CLOCK_SECONDS = 0.2
# An attempt that looks up and then sends fails every second time, and each failure makes the next pause longer: of
# hundreds of deliveries, one may fail a dozen times in a row.
SETTLED_SECONDS = 300


@dataclass(frozen=True)
class Misbehaviour:
    """Faults of the simulator, see ``sandbox.credly.faults``. ``share`` of the badges is hit by them, if not chance."""

    name: str
    faults: Sequence[Fault]
    share: float = 0.0


MISBEHAVIOURS = (
    Misbehaviour(
        "500s",
        # Before Credly did it, and after.
        [
            {"status": status, "applied": applied, "probability": 0.06, "times": None}
            for status in (500, 502, 503)
            for applied in (False, True)
        ],
    ),
    Misbehaviour(
        "time-outs after accepting",
        [
            {"manner": "hang", "hold": 2 * DISTRIBUTION["request_timeout"], "applied": True, "operation": operation}
            for operation in ("issue", "revoke")
        ],
        share=0.12,
    ),
    Misbehaviour(
        "dropped connections",
        [{"manner": "drop", "applied": applied, "probability": 0.15, "times": None} for applied in (False, True)],
    ),
)


def misbehaving(misbehaviour: Misbehaviour, stage: Stage, options: Options) -> Result:
    """Award badges and revoke half of them, some at once and some later, while Credly misbehaves."""
    badge = CredlyBadge(stage.credly, misbehaviour.name)
    learners = badge.learners(12 if options.small else 160)
    for fault in misbehaviour.faults:
        times = {"times": max(1, round(misbehaviour.share * len(learners)))} if misbehaviour.share else {}
        stage.credly.fail(**fault, **times, organization_id=badge.organization_id)
    _award_and_revoke(badge, learners)
    wait_until_settled(badge, timeout=SETTLED_SECONDS)
    stage.credly.behave()
    result = Result(misbehaviour.name)
    close(badge, result)
    faults = [entry for entry in _journal(badge) if entry["fault"]]
    applied = sum(entry["applied"] for entry in faults)
    result.remarks.append(
        f"{len(faults)} requests were spoilt; Credly had done what {applied} of them asked for, "
        f"and {result.numbers['adopted']} deliveries found it there instead of sending it again."
    )
    result.demand(bool(faults), "nothing was spoilt: the drill shows nothing")
    return result


def throttled(stage: Stage, options: Options) -> Result:
    """Answer 429 with Retry-After: once for a pause that is watched, then continuously by a rate limit."""
    badge = CredlyBadge(stage.credly, "429 with Retry-After")
    learners = badge.learners(12 if options.small else 160)
    stage.credly.fail(
        status=429, retry_after=str(RETRY_AFTER), operation="issue", organization_id=badge.organization_id
    )
    _award_and_revoke(badge, learners)
    stage.credly.call("POST", "rate_limit", {"requests": 30, "seconds": 2})
    badge.revoke(learners[1::4])
    wait_until_settled(badge, timeout=90)
    stage.credly.behave()
    result = Result(badge.name)
    close(badge, result)
    journal = _journal(badge)
    refused = [_moment(entry) for entry in journal if entry["answer"] == "429"]
    later = [(_moment(entry) - refused[0]).total_seconds() for entry in journal if _moment(entry) > refused[0]]
    under_way = sum(seconds <= UNDER_WAY_SECONDS for seconds in later)
    too_early = sum(UNDER_WAY_SECONDS < seconds < RETRY_AFTER - CLOCK_SECONDS for seconds in later)
    result.remarks.append(
        f"{len(refused)} requests were refused with 429. When Credly asked for a pause of {RETRY_AFTER} s, "
        f"{under_way} requests were under way, and {too_early} came before its end."
    )
    result.demand(not too_early, f"{too_early} requests came although Credly had asked to wait")
    return result


def _award_and_revoke(badge: CredlyBadge, learners: Sequence[Any]) -> None:
    """Award all badges. Revoke a quarter at once, and another when half of the badges are delivered."""
    badge.award(learners)
    badge.revoke(learners[::4])
    done = deliveries(badge).filter(state="done")
    wait_until(lambda: done.count() >= len(learners) // 2, "half of the badges were delivered", timeout=90)
    badge.revoke(learners[2::4])


def _journal(badge: CredlyBadge) -> list[Json]:
    return [entry for entry in badge.credly.journal() if entry["organization_id"] == badge.organization_id]


def _moment(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["time"])


DRILLS: Sequence[Callable[[Stage, Options], Result]] = (
    *(partial(misbehaving, each) for each in MISBEHAVIOURS),
    throttled,
)
