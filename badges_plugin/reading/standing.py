"""How far a learner is on the way to a badge: the facts that the read side returns, and sentences that explain them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.reading import wordings
from badges_plugin.reading.awards import Award
from badges_plugin.reading.words import event_label, join_list, join_sentences
from badges_plugin.times import day_text


@dataclass(frozen=True)
class LastEvent:
    """The newest event that said something about a requirement."""

    id: UUID
    type: str
    time: datetime
    value: str
    """The name of the value that it was about, where values are counted."""
    is_fulfilled: bool
    """Whether it fulfilled the requirement. Otherwise it took it away."""

    @property
    def text(self) -> str:
        """Return "failed on May 3, 2027", or the event by its name."""
        if self.type in wordings.PASSING_STATUS:
            text = str(wordings.PASSED if self.is_fulfilled else wordings.FAILED) % {"day": day_text(self.time)}
        else:
            text = _("%(event)s on %(day)s") % {"event": event_label(self.type), "day": day_text(self.time)}
        return _("%(value)s: %(what)s") % {"value": self.value, "what": text} if self.value else text


class BadgeState(enum.StrEnum):
    """What a badge is to a learner now."""

    HELD = "held"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ON_THE_WAY = "on the way"


@dataclass(frozen=True)
class RequirementProgress:
    """What a learner did for one requirement: ``done`` of ``needed``."""

    id: int
    sentence: str
    needed: int
    done: int
    is_fulfilled: bool
    since: datetime | None
    """When it was fulfilled, by the times of events."""
    counted: tuple[str, ...]
    """The names of the values that count, where values are counted."""
    missing: tuple[str, ...]
    """The names of the values that could still be counted, where the rules list them."""
    events: tuple[UUID, ...]
    """The ids of the events that count, oldest first; of counted things the newest event of each."""
    earlier_events: tuple[UUID, ...]
    """The ids of events that fulfilled it under earlier rules and do not count."""
    last_event: LastEvent | None
    undecided: int
    """How much was done under earlier rules, about which staff have not decided: it does not count until they do."""
    forgotten: int
    """How much was done under earlier rules that staff chose to forget."""
    counts_courses: bool = False

    @property
    def share(self) -> float:
        return self.done / self.needed

    @property
    def explanation(self) -> str:
        """Return all of this in a sentence: "3 of 5 courses; missing: Logic; last event: failed on May 3, 2027"."""
        parts = [self._counted_words()]
        if self.missing:
            parts.append(_("missing: %(names)s") % {"names": join_list(self.missing)})
        if self.last_event is not None:
            parts.append(_("last event: %(event)s") % {"event": self.last_event.text})
        if self.undecided:
            parts.append(
                ngettext(
                    "%(count)d does not count: it was done under earlier rules",
                    "%(count)d do not count: they were done under earlier rules",
                    self.undecided,
                )
                % {"count": self.undecided}
            )
        if self.forgotten:
            parts.append(
                ngettext(
                    "%(count)d was forgotten by staff when the rules changed",
                    "%(count)d were forgotten by staff when the rules changed",
                    self.forgotten,
                )
                % {"count": self.forgotten}
            )
        return join_sentences(parts)

    def _counted_words(self) -> str:
        if self.needed == 1:
            return _("fulfilled") if self.is_fulfilled else _("not fulfilled")
        text = _("%(done)d of %(needed)d")
        if self.counts_courses:
            text = ngettext("%(done)d of %(needed)d course", "%(done)d of %(needed)d courses", self.needed)
        return text % {"done": self.done, "needed": self.needed}


@dataclass(frozen=True)
class GroupProgress:
    """What a learner did for one group: ``done`` of ``needed`` requirements are fulfilled."""

    name: str
    sentence: str
    needed: int
    done: int
    is_fulfilled: bool
    is_next: bool
    """Whether it is the step that a learner takes now, where the groups are asked for in order."""
    requirements: tuple[RequirementProgress, ...]

    @property
    def share(self) -> float:
        if self.is_fulfilled:
            return 1.0
        best = sorted((each.share for each in self.requirements), reverse=True)[: self.needed]
        return sum(best) / self.needed


@dataclass(frozen=True)
class LearnerProgress:
    """How far one learner is on the way to one badge. ``id`` is None where nothing happened yet."""

    id: int | None
    user_id: int
    template_id: int
    template_name: str
    is_active: bool
    """Whether the badge can be earned at all now."""
    state: BadgeState
    is_complete: bool
    """Whether everything that is asked for today is done. Holders keep their badge when it is not."""
    completed_at: datetime | None
    groups: tuple[GroupProgress, ...]
    awards: tuple[Award, ...]
    """Oldest first."""

    @property
    def done(self) -> int:
        """Return how many groups are fulfilled."""
        return sum(group.is_fulfilled for group in self.groups)

    @property
    def share(self) -> float:
        """Return how much is done, from 0 to 1, for a progress bar."""
        return sum(group.share for group in self.groups) / len(self.groups) if self.groups else 0.0

    def requirement(self, pk: int) -> RequirementProgress | None:
        """Return what was done for one requirement of the badge; None for one that it does not have."""
        return next((each for group in self.groups for each in group.requirements if each.id == pk), None)

    @property
    def next_step(self) -> GroupProgress | None:
        """Return the group whose turn it is, where groups are asked for in order and one is open."""
        return next((group for group in self.groups if group.is_next), None)
