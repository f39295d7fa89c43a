"""What a learner lacks for a badge, in parts that a page can show."""

from __future__ import annotations

from dataclasses import dataclass

from badges_plugin.reading.standing import GroupProgress, LearnerProgress, RequirementProgress


@dataclass(frozen=True)
class Lack:
    """A group that is not fulfilled: so many more of these requirements are needed."""

    number: int
    requirements: tuple[RequirementProgress, ...]
    """Those of the group that are not fulfilled."""
    is_later: bool
    """Whether it is asked for only after an earlier group, where groups are asked for in order."""

    @property
    def is_all(self) -> bool:
        """Whether every one of them is needed."""
        return self.number >= len(self.requirements)


def lacks(progress: LearnerProgress) -> tuple[Lack, ...]:
    """Return what is missing now, group by group. Empty where everything is done."""
    is_in_order = progress.next_step is not None
    return tuple(
        _lack(group, is_later=is_in_order and not group.is_next) for group in progress.groups if not group.is_fulfilled
    )


def is_nearly_there(progress: LearnerProgress) -> bool:
    """Whether a single requirement is missing, of which nothing must be done more than once."""
    found = lacks(progress)
    if len(found) != 1 or found[0].number != 1:
        return False
    return any(each.needed - each.done == 1 for each in found[0].requirements)


def _lack(group: GroupProgress, *, is_later: bool) -> Lack:
    left = tuple(each for each in group.requirements if not each.is_fulfilled)
    return Lack(max(group.needed - group.done, 1), left, is_later)
