"""Drill: the key of one organization is rejected until staff enter the new one."""

from __future__ import annotations

from sandbox.drills.badges import CredlyBadge
from sandbox.drills.books import channel, close, deliveries, wait_until_settled
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import Stage, wait_until


def wrong_key(stage: Stage, options: Options) -> Result:
    """Only the organization with the wrong key pauses. It is not asked again, and resumes when the key is changed."""
    size = 8 if options.small else 80
    good, bad = (CredlyBadge(stage.credly, name) for name in ("right key", "wrong key"))
    new_key = stage.credly.rotate_key(bad.organization_id)
    for badge in (bad, good):
        badge.award(badge.learners(size))
    wait_until(lambda: bool(channel(bad).paused_reason), "the organization was paused", timeout=30)
    wait_until_settled(good, timeout=60)
    rejected, reason = _rejected(bad), channel(bad).paused_reason
    for badge in (bad, good):
        badge.award(badge.learners(size))
    wait_until_settled(good, timeout=60)
    waiting, more = deliveries(bad).filter(state="pending").count(), _rejected(bad) - rejected
    bad.organization.set_api_key(new_key)
    bad.organization.save()
    wait_until_settled(bad, timeout=60)
    result = Result("wrong key, fixed later")
    close(bad, result)
    other = Result(good.name)
    close(good, other)
    result.problems.extend(f"the other organization: {problem}" for problem in other.problems)
    result.remarks.append(
        f"{rejected} requests were rejected before the organization was paused (“{reason}”), {more} after; "
        f"{waiting} badges waited for the new key. The other organization had {other.numbers['issued']} meanwhile."
    )
    result.demand(waiting == 2 * size, "not all badges of the organization waited")
    result.demand(not more, f"{more} requests were made with a key that is known to be wrong")
    return result


def _rejected(badge: CredlyBadge) -> int:
    return sum(
        entry["status"] == 401 and entry["organization_id"] == badge.organization_id for entry in badge.credly.journal()
    )


DRILLS = (wrong_key,)
