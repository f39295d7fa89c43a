"""Drill: Credly is down while all badges are awarded, and comes back later."""

from __future__ import annotations

from sandbox.drills.badges import CredlyBadge
from sandbox.drills.books import attempts, channel, close, deliveries, wait_until_settled
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import Stage, wait_until

# So many failures in a row: the breaker is open (after 5), and probing found nobody a few times.
FAILURES_TO_SEE = 8
# Each of three workers holds up to six claims when the first of them fails; then there are probes, one by one.
MAX_ATTEMPTS = 60


def down_and_back(stage: Stage, options: Options) -> Result:
    """Refuse connections from before the first award until long after the last."""
    size = 16 if options.small else 300
    badge = CredlyBadge(stage.credly, "Credly away")
    learners = badge.learners(size)
    stage.cut_credly_off()
    badge.award(learners)
    badge.revoke(learners[::4])
    wait_until(
        lambda: channel(badge).failures >= FAILURES_TO_SEE or not _waiting(badge), "the breaker opened", timeout=60
    )
    tried, waiting = attempts(badge).count(), _waiting(badge)
    stage.bring_credly_back()
    wait_until_settled(badge, timeout=60)
    result = Result("Credly down, back later")
    result.remarks.append(
        f"While it was away {size} badges were awarded and {len(learners[::4])} of them revoked; the workers made "
        f"{tried} attempts; {waiting} deliveries waited for its return."
    )
    close(badge, result)
    result.demand(tried <= MAX_ATTEMPTS, f"{tried} attempts at a service that is away are too many")
    result.demand(result.numbers["cancelled"] == len(learners[::4]), "revoked badges were issued all the same")
    return result


def _waiting(badge: CredlyBadge) -> int:
    return deliveries(badge).filter(state="pending").count()


DRILLS = (down_and_back,)
