"""What to ask before rules change that learners have fulfilled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import api, reading
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.models import BadgeRequirement, Fulfillment
from badges_plugin.web.desk.badge.saving import Change

KEEP, FORGET = "keep", "forget"


@dataclass(frozen=True)
class Question:
    """Lines that learners have done and that change or go away. Numbers count learners once for each line."""

    changed: int = 0
    holders: int = 0
    removed: int = 0
    removed_lines: Sequence[str] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """Return the answers that can be given; of lines that only go away there is one."""
        return (KEEP, FORGET) if self.changed else (FORGET,)

    @property
    def title(self) -> str:
        text = ngettext(
            "%s learner has done what you are changing", "%s learners have done what you are changing", self.most
        )
        return text % in_words(self.most)

    @property
    def most(self) -> int:
        return max(self.changed, self.removed)

    @property
    def holders_words(self) -> str:
        return in_words(self.holders)

    @property
    def changed_words(self) -> str:
        return in_words(self.changed)

    @property
    def removed_words(self) -> str:
        return in_words(self.removed)

    @property
    def kept(self) -> str:
        """Return what the history says if it is kept."""
        text = ngettext("%s learner kept what was done.", "%s learners kept what they had done.", self.changed)
        return text % in_words(self.changed)

    @property
    def forgotten(self) -> str:
        text = ngettext("What %s learner had done is forgotten.", "What %s learners had done is forgotten.", self.most)
        return text % in_words(self.most)


def question_of(changes: Collection[Change]) -> Question | None:
    """Return what to ask before changes are stored, None if nobody has done anything. Four queries for each."""
    changed, holders, removed = 0, 0, 0
    gone: list[BadgeRequirement] = []
    for change in changes:
        if change.after is None:
            fulfilled = Fulfillment.objects.filter(requirement=change.requirement, is_fulfilled=True)
            learners = count_up_to(fulfilled.values("progress").distinct())
            removed = max(removed, learners)
            gone += [change.requirement] if learners else []
        elif change.digest != change.requirement.digest():
            earlier = api.undecided_fulfillments_after(change.requirement, change.digest)
            changed, holders = max(changed, earlier.learners), max(holders, earlier.holders)
    if not (changed or removed):
        return None
    said = reading.sentences(gone)
    return Question(changed, holders, removed, [said[each.pk] for each in gone])


def noted(before: str, after: str, question: Question | None, *, forget: bool) -> str:
    """Return what the history says of a change, by what the badge asked for before and asks for after it."""
    if before == after:
        return _("Changed.")
    if not before:
        return _("Set up: %s") % after
    parts = [_("Changed “%(before)s” to “%(after)s”.") % {"before": before, "after": after}]
    if question is not None:
        parts.append(question.forgotten if forget else question.kept)
    return " ".join(parts)
