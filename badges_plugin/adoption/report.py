"""What an adoption did, or would do: every row of the built-in app is counted once, and what needs a look is told."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from badges_plugin.backfill.samples import Sample


class Kind(enum.StrEnum):
    """What is counted, in the order of the report."""

    ACCOUNTS = "Accounts"
    TEMPLATES = "Badge templates"
    REQUIREMENTS = "Requirements"
    RULES = "Rules"
    PENALTIES = "Penalties"
    PROGRESS = "Progress records"
    FULFILLMENTS = "Fulfillments"
    BADGES = "Badges"


ADOPTED = "adopted"
KNOWN = "here before"


class Topic(enum.Enum):
    """What somebody should look at; each with what it means and what can be done."""

    NO_PROVIDER = "Not adopted: the badge is of no provider that both apps know, or its identity is taken here."
    RULES = (
        "Adopted with its badges, but without its rules, because some mean something else here. It is not active. "
        "Set up its requirements, then run this command again for the progress."
    )
    GROUPS = (
        "Not active: several requirements share a group, or have none, and it is not known whether all of them or any "
        "of them are meant. They are alternatives now, as they were there. Look at the badge and activate it, or run "
        "this command with --same-group first."
    )
    PROBLEM = "Adopted, and not active: it cannot be, or somebody must confirm what it does."
    OWN_RULES = "The badge was set up here with other rules; they are kept, and so is whether it is active."
    LEFT_OUT = "Not copied, because it never did anything."
    EARNERS = (
        "Not all of its events are about one person, and the built-in app may have given badges to staff instead of "
        "learners."
    )
    UNKNOWN = "Not adopted: no user of the service has this name."
    RETIRED = "Not adopted: the learner was retired."
    OTHER_USER = "Not adopted: the learner has another user here, to whom badges belong."
    SECOND = "Not adopted: the learner has this badge here already. There may be two at the provider."
    LOST = (
        "Held, but perhaps not at the provider, who refused it or did not answer, and was never asked again. The "
        "delivery needs attention: a retry looks the badge up there first."
    )
    REVOCATION_LOST = (
        "Revoked, but perhaps not at the provider. The delivery needs attention: a retry looks it up there first."
    )
    NEVER_AWARDED = "Not adopted: the learner never had the badge. The built-in app wrote that it was revoked."
    NO_TEMPLATE = "Not adopted: its badge template was deleted."
    INCOMPLETE = (
        "Held although not everything is fulfilled: the built-in app awarded at the first requirement. Revoke these "
        "badges, or leave them."
    )
    STAYED_REVOKED = (
        "Revoked although everything is fulfilled again: the built-in app never gave a badge back. The next event that "
        "fulfills a requirement awards it; or give it by hand."
    )
    NO_BADGE = (
        "Everything is fulfilled, but there is no badge. The next event that fulfills a requirement awards it; or give "
        "it by hand."
    )


class Finding(NamedTuple):
    """One thing to look at. ``learner`` is a user name; what does not apply is empty."""

    topic: Topic
    badge: str
    learner: str = ""
    external_id: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, [f"“{self.badge}”" if self.badge else "", self.learner, self.external_id]))


@dataclass
class Report:
    """Counts by kind and outcome, and findings by topic, of which only some are kept.

    ``tell`` is called with each finding.
    """

    tell: Callable[[Finding], None] = lambda finding: None
    counts: dict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    findings: dict[Topic, Sample] = field(default_factory=lambda: defaultdict(Sample))

    def count(self, kind: Kind, outcome: str, number: int = 1) -> None:
        """Add rows to an outcome."""
        if number:
            self.counts[kind][outcome] += number

    def find(self, finding: Finding) -> None:
        """Note something to look at."""
        line = str(finding)
        self.findings[finding.topic].add(f"{line}: {finding.detail}" if finding.detail else line)
        self.tell(finding)

    def total(self, kind: Kind) -> int:
        """Return how many rows of a kind there were."""
        return self.counts[kind].total()
