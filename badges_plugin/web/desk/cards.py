"""The badges of one learner as cards: how each stands, why, what is missing, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.distribution import telling
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.reading import Award, AwardState, LearnerProgress
from badges_plugin.reading.corrections import AfterLoss, after_loss
from badges_plugin.reading.happenings import Happening, Mark, happenings
from badges_plugin.reading.lacking import Lack, is_nearly_there, lacks
from badges_plugin.times import day_text
from badges_plugin.web.desk import reached
from badges_plugin.web.desk.doing import Button, award_buttons, progress_buttons
from badges_plugin.web.desk.persons import Person
from badges_plugin.web.shared import Art, arts


@dataclass(frozen=True)
class Standing:
    """A state: a shape and words."""

    shape: str
    text: str


@dataclass(frozen=True)
class Entry:
    """Something that happened, on a card. ``shape`` may be empty."""

    happening: Happening
    shape: str
    note: str


@dataclass(frozen=True)
class Card:
    """One badge of a learner. Addresses are empty where there is no page, or not for the person who asks."""

    template: BadgeTemplate
    art: Art
    badge_url: str
    standing: Standing
    paragraphs: tuple[str, ...]
    award: Award | None = None
    award_url: str = ""
    deliveries: tuple[telling.DeliveryTold, ...] = ()
    lacks: tuple[Lack, ...] = ()
    story: tuple[Entry, ...] = ()
    try_url: str = ""
    progress_url: str = ""
    buttons: tuple[Button, ...] = ()
    is_open: bool = field(default=False)
    """Whether the story is shown at once: while the badge is on the way, it is what one looks for."""


class Cards:
    """Reads what cards need, for all cards of a page at once: a fixed number of queries."""

    def __init__(
        self, request: HttpRequest, learner: Person, award_ids: Sequence[int], progress_ids: Sequence[int]
    ) -> None:
        self._request, self._learner = request, learner
        self._awards = reading.awards(award_ids) if award_ids else {}
        self._progress_of = dict(BadgeAward.objects.filter(pk__in=award_ids).values_list("pk", "progress"))
        self._progress = reading.progress_rows({*self._progress_of.values(), *progress_ids})
        self._story = happenings(self._progress)
        wanted = {each.template_id for each in self._progress.values()}
        self._templates = BadgeTemplate.objects.in_bulk(wanted)
        self._arts = arts(self._templates.values())
        self._deliveries = telling.shown_to(request.user, award_ids)
        self._corrected = reading.corrections(list(self._progress))

    def of_awards(self, award_ids: Sequence[int]) -> list[Card]:
        """Return the cards of awards, in this order."""
        return [self._of_award(self._awards[pk]) for pk in award_ids if pk in self._awards]

    def on_the_way(self, progress_ids: Sequence[int]) -> list[Card]:
        """Return the cards of progress that never led to an award, in this order."""
        return [self._on_the_way(self._progress[pk]) for pk in progress_ids if pk in self._progress]

    def _of_award(self, award: Award) -> Card:
        progress = self._progress[self._progress_of[award.id]]
        is_held = award.state is AwardState.HELD
        buttons = award_buttons(self._request, award, is_erased=self._learner.is_erased)
        return self._card(
            progress,
            standing=self._standing(award, progress),
            paragraphs=_why_held(award) if is_held else self._outlook(progress),
            award=award,
            award_url=reached.desk_url(self._request, "desk_award", award.id),
            deliveries=self._deliveries.get(award.id, ()),
            lacks=() if is_held else lacks(progress),
            buttons=(*buttons, *(() if is_held else progress_buttons(self._request, progress.id))),
        )

    def _on_the_way(self, progress: LearnerProgress) -> Card:
        return self._card(
            progress,
            standing=_way(progress),
            paragraphs=self._outlook(progress),
            lacks=lacks(progress),
            try_url="" if self._learner.is_erased else self._try_url(progress),
            buttons=(*self._give(progress), *progress_buttons(self._request, progress.id)),
            is_open=True,
        )

    def _card(self, progress: LearnerProgress, *, standing: Standing, paragraphs: Sequence[str], **facts: Any) -> Card:
        template = self._templates[progress.template_id]
        return Card(
            template=template,
            art=self._arts[template.pk],
            badge_url=reached.badge_url(self._request, template.pk),
            standing=standing,
            paragraphs=tuple(paragraphs),
            story=tuple(entry_of(each) for each in self._story.get(progress.id or 0, ())),
            progress_url=reached.row_url(self._request, BadgeProgress, progress.id),
            **facts,
        )

    def _outlook(self, progress: LearnerProgress) -> list[str]:
        template = self._templates[progress.template_id]
        corrected = self._corrected.get(progress.id or 0, ())
        said = reading.outlook(progress, corrected, can_be_reawarded=template.can_be_reawarded)
        if progress.awards and not progress.is_active:
            said.append(_("This badge is not active, so nobody is awarded it."))
        return said

    def _standing(self, award: Award, progress: LearnerProgress) -> Standing:
        if award.state is not AwardState.REVOKED:
            return standing_of(award)
        after = after_loss(
            progress,
            self._corrected.get(progress.id or 0, ()),
            can_be_reawarded=self._templates[award.template_id].can_be_reawarded,
            is_erased=self._learner.is_erased,
        )
        match after:
            case AfterLoss.ERASED:
                return Standing("lost", _("Learner erased"))
            case AfterLoss.UNDONE:
                return Standing("lost", _("Given by mistake and taken back"))
            case AfterLoss.STAYS:
                return Standing("lost", _("Revoked, stays revoked"))
        return Standing("lost", _("Revoked, can be earned again"))

    def _give(self, progress: LearnerProgress) -> tuple[Button, ...]:
        if self._learner.is_erased or not progress.is_active:
            return ()
        address = reached.desk_url(self._request, "desk_give", badge=progress.template_id, learner=progress.user_id)
        return (Button(_("Give it by hand…"), address),) if address else ()

    def _try_url(self, progress: LearnerProgress) -> str:
        return reached.desk_url(self._request, "desk_try", learner=self._learner.username, badge=progress.template_id)


def entry_of(happening: Happening) -> Entry:
    """Return something that happened as a card and a story show it."""
    match happening.mark:
        case Mark.COUNTS:
            return Entry(happening, "ok", _("Counts."))
        case Mark.LOST:
            return Entry(happening, "bad", _("Does not count until it is done again."))
    return Entry(happening, "", _("Does not count now: it was done under earlier rules, too early, or is used up."))


def standing_of(award: Award) -> Standing:
    """Return whether an award is held, without a word on what can come next."""
    if award.state is AwardState.HELD:
        return Standing("ok", _("Held since %(day)s") % {"day": day_text(award.awarded_at)})
    ended = {"day": day_text(award.ended_at)} if award.ended_at else {"day": ""}
    if award.state is AwardState.EXPIRED:
        return Standing("lost", _("Expired on %(day)s") % ended)
    return Standing("lost", _("Revoked on %(day)s") % ended)


def _why_held(award: Award) -> list[str]:
    found = [given_text(award.by_hand)] if award.by_hand is not None else []
    if award.expires_at is not None:
        found.append(_("Valid until %(day)s.") % {"day": day_text(award.expires_at)})
    return found


def given_text(gift: reading.ByHand) -> str:
    """Return who gave a badge by hand and why, in a sentence."""
    if gift.given_by and gift.reason:
        return _("Given by %(person)s: “%(reason)s”.") % {"person": gift.given_by, "reason": gift.reason}
    if gift.given_by:
        return _("Given by %(person)s.") % {"person": gift.given_by}
    return _("Given by hand: “%(reason)s”.") % {"reason": gift.reason} if gift.reason else _("Given by hand.")


def _way(progress: LearnerProgress) -> Standing:
    done, needed = progress.done, len(progress.groups)
    only = progress.groups[0] if needed == 1 else None
    if only is not None and only.needed > 1:
        done, needed = only.done, only.needed
    elif only is not None and len(only.requirements) == 1:
        done, needed = only.requirements[0].done, only.requirements[0].needed
    told = {"done": done, "needed": needed}
    if is_nearly_there(progress) and needed > 1:
        return Standing("part", _("Nearly there, lacks one: %(done)d of %(needed)d") % told)
    return Standing("part", _("On the way: %(done)d of %(needed)d") % told)
