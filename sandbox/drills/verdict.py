"""Judge whether the provider did what it should have, no more and no less.

Pure: from what is wanted for each learner, what the Credly simulator's journal tells, and how its badges stand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.credly.records import Json
from sandbox.credly.refusals import ALREADY_REVOKED, DUPLICATE, UNKNOWN_BADGE

EXAMPLES = 3


@dataclass
class Wanted:
    """What one learner should have of one badge in the end, and how often it was awarded on the way there."""

    awards: int = 0
    holds: bool = False


@dataclass
class Verdict:
    """How many learners have which error. ``examples`` names a few of them."""

    issued: int = 0
    revoked: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def problems(self) -> list[str]:
        """Return a sentence for each kind of error."""
        return [f"{count} {kind}, for example {', '.join(self.examples[kind])}" for kind, count in self.counts.items()]

    def blame(self, kind: str, whom: str) -> None:
        self.counts[kind] += 1
        if len(self.examples[kind]) < EXAMPLES:
            self.examples[kind].append(whom)


MISSING = "missing"
NOT_REVOKED = "not revoked"
ISSUED_TWICE = "issued twice"
ISSUED_IN_VAIN = "issued more often than awarded"
REVOKED_FIRST = "revoked before the issue"
REVOKED_TWICE = "revoked twice"
UNKNOWN_LEARNER = "issued to somebody else"

# What the service refused for its own reasons, it should not have been asked for.
_REFUSALS = {DUPLICATE: ISSUED_TWICE, UNKNOWN_BADGE: REVOKED_FIRST, ALREADY_REVOKED: REVOKED_TWICE}


def judge(wanted: Mapping[str, Wanted], journal: Iterable[Json], badges: Iterable[Json]) -> Verdict:
    """Compare. ``wanted`` is by e-mail address, and of one organization with one template.

    ``journal`` and ``badges`` are those of the organization, as the simulator's control API gives them.
    """
    verdict = Verdict()
    issues: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for entry in journal:
        if entry["applied"]:
            _judge_change(entry, issues, held, verdict)
        elif entry["refusal"] in _REFUSALS:
            verdict.blame(_REFUSALS[entry["refusal"]], entry["subject"].get("badge_id", "a learner"))
    for email, count in issues.items():
        if email not in wanted:
            verdict.blame(UNKNOWN_LEARNER, email)
        elif count > wanted[email].awards:
            verdict.blame(ISSUED_IN_VAIN, email)
    _judge_end(wanted, {badge["recipient_email"] for badge in badges if badge["live"]}, verdict)
    return verdict


def _judge_change(entry: Json, issues: Counter[str], held: Counter[str], verdict: Verdict) -> None:
    email = entry["subject"].get("recipient_email", "")
    match entry["operation"]:
        case "issue":
            verdict.issued += 1
            issues[email] += 1
            if held[email] > 0:
                verdict.blame(ISSUED_TWICE, email)
            held[email] += 1
        case "revoke":
            verdict.revoked += 1
            held[email] -= 1


def _judge_end(wanted: Mapping[str, Wanted], live: set[str], verdict: Verdict) -> None:
    for email, want in wanted.items():
        if want.holds and email not in live:
            verdict.blame(MISSING, email)
        if email in live and not want.holds:
            verdict.blame(NOT_REVOKED, email)
