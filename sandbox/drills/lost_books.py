"""Count what was lost, have the backfill restore it, and compare with the grades and with Credly. Needs Django."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from django.core.management import call_command

from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from sandbox.drills import books
from sandbox.drills.badges import CredlyBadge, add_site
from sandbox.drills.bus_stage import BusStage
from sandbox.drills.catalog import Result
from sandbox.drills.lost_events import REGRADED, Outage
from sandbox.drills.lost_lms import name_of
from sandbox.drills.verdict import Wanted

USERS = 1000
SETTLED_SECONDS = 120.0


class Books:
    """One badge at Credly, and learners who have signed in to Credentials before, so that their address is known."""

    def __init__(self, stage: BusStage) -> None:
        call_command("migrate", verbosity=0)
        add_site()
        self._stage = stage
        self._provided = CredlyBadge(stage.credly, "Badge")
        self.course = self._provided.course
        names = {number: name_of(number) for number in range(1, USERS + 1)}
        User.objects.bulk_create(
            User(username=name, email=_address(name), lms_user_id=number) for number, name in names.items()
        )

    def after(self, outage: Outage) -> Result:
        """Compare what arrived with what the LMS told."""
        result = Result(outage.name)
        if outage.name == REGRADED:
            again, failing, both = map(_address, map(name_of, outage.learners))
            self._provided.wanted |= {
                again: Wanted(awards=2, holds=True), failing: Wanted(awards=1), both: Wanted(awards=1)
            }  # fmt: skip
            result.demand(self._holders(outage.learners) == {failing: 1}, "the regraded are not as they should be")
        else:
            self._provided.wanted |= {_address(name_of(number)): Wanted(1, True) for number in outage.learners}
        held = self._holders(outage.learners).total()
        missing = len(outage.learners) - held
        result.numbers |= {"passed": len(outage.learners), "badges": held, "missing": missing}
        if outage.reported is not None:
            result.numbers["in the log"] = outage.reported
        result.numbers["longest wait, s"] = outage.seconds
        result.demand(outage.lost in (None, missing), f"{missing} events were lost instead of {outage.lost}")
        return result

    def restore(self, rows: Path) -> Result:
        """Apply the rows, twice, after a dry run, and deliver."""
        result = Result("restored")
        for name, option in (("dry-run", ["--dry-run"]), ("backfill", []), ("again", [])):
            printed = self._stage.run(name, "badges_backfill", str(rows), "--no-color", *option)
            result.remarks += [f"{name}: {line}" for line in printed.splitlines() if " learners, " in line]
        result.demand("0 badges awarded, 0 revoked" in result.remarks[-1], "the second backfill changed something")
        self._stage.deliver()
        books.wait_until_settled(self._provided, timeout=SETTLED_SECONDS)
        books.close(self._provided, result)
        awards = Counter(BadgeAward.objects.values_list("progress__user__email", flat=True))
        held = BadgeAward.objects.filter(revoked_at__isnull=True)
        holders = set(held.values_list("progress__user__email", flat=True))
        lost = {email for email, wanted in self._provided.wanted.items() if wanted.holds} - holders
        twice = [email for email, wanted in self._provided.wanted.items() if awards[email] > wanted.awards]
        result.numbers |= {"lost": len(lost), "twice": len(twice)}
        result.demand(not lost, f"{len(lost)} badges are lost")
        result.demand(not twice, f"{len(twice)} badges were awarded twice")
        return result

    def _holders(self, learners: Iterable[int]) -> Counter[str]:
        emails = [_address(name_of(number)) for number in learners]
        held = BadgeAward.objects.filter(revoked_at__isnull=True, progress__user__email__in=emails)
        return Counter(held.values_list("progress__user__email", flat=True))


def _address(name: str) -> str:
    return f"{name}@example.com"
