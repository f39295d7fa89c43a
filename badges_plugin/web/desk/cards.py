"""The badges of one learner as cards: how each stands, why, what is missing, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.distribution import telling
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Ending
from badges_plugin.reading import Award, AwardState, LearnerProgress
from badges_plugin.reading.happenings import Happening, Mark, happenings
from badges_plugin.reading.lacking import Lack, is_nearly_there, lacks
from badges_plugin.times import day_text
from badges_plugin.web.desk import reached
from badges_plugin.web.desk.gifts import Gift, gifts_of
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
    award: Award | None
    award_url: str
    deliveries: tuple[telling.DeliveryTold, ...]
    lacks: tuple[Lack, ...] = ()
    story: tuple[Entry, ...] = ()
    try_url: str = ""
    progress_url: str = ""
    gift: Gift | None = None
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
        self._deliveries = telling.deliveries_of(award_ids) if telling.may_see(request.user) else {}
        self._gifts = gifts_of(award_ids) if award_ids else {}

    def of_awards(self, award_ids: Sequence[int]) -> list[Card]:
        """Return the cards of awards, in this order."""
        return [self._of_award(self._awards[pk]) for pk in award_ids if pk in self._awards]

    def on_the_way(self, progress_ids: Sequence[int]) -> list[Card]:
        """Return the cards of progress that never led to an award, in this order."""
        return [self._on_the_way(self._progress[pk]) for pk in progress_ids if pk in self._progress]

    def _of_award(self, award: Award) -> Card:
        progress = self._progress[self._progress_of[award.id]]
        gift = self._gifts.get(award.id)
        template = self._templates[award.template_id]
        is_held = award.state is AwardState.HELD
        paragraphs = _why_held(award, gift) if is_held else _why_ended(award, progress, template, self._learner)
        return Card(
            template=template,
            art=self._arts[template.pk],
            badge_url=reached.badge_url(self._request, template.pk),
            standing=_standing_of(award, progress, template),
            paragraphs=tuple(paragraphs),
            award=award,
            award_url=reached.desk_url("desk_award", award.id),
            deliveries=self._deliveries.get(award.id, ()),
            lacks=() if is_held else lacks(progress),
            story=self._entries(progress),
            progress_url=self._progress_url(progress),
            gift=gift,
        )

    def _on_the_way(self, progress: LearnerProgress) -> Card:
        template = self._templates[progress.template_id]
        paragraphs = []
        if not progress.is_active:
            paragraphs.append(_("This badge is not active: what comes for it does not count now."))
        if progress.is_complete:
            paragraphs.append(
                _("Everything that the badge asks for is done. It is awarded when the next event for it comes.")
            )
        return Card(
            template=template,
            art=self._arts[template.pk],
            badge_url=reached.badge_url(self._request, template.pk),
            standing=_way(progress),
            paragraphs=tuple(paragraphs),
            award=None,
            award_url="",
            deliveries=(),
            lacks=lacks(progress),
            story=self._entries(progress),
            try_url="" if self._learner.is_erased else reached.desk_url("desk_try", **self._trial(template)),
            progress_url=self._progress_url(progress),
            is_open=True,
        )

    def _entries(self, progress: LearnerProgress) -> tuple[Entry, ...]:
        return tuple(entry_of(each) for each in self._story.get(progress.id or 0, ()))

    def _trial(self, template: BadgeTemplate) -> dict[str, object]:
        return {"learner": self._learner.username, "badge": template.pk}

    def _progress_url(self, progress: LearnerProgress) -> str:
        return reached.row_url(self._request, BadgeProgress, progress.id)


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


def _standing_of(award: Award, progress: LearnerProgress, template: BadgeTemplate) -> Standing:
    if award.state is not AwardState.REVOKED:
        return standing_of(award)
    if award.ending == Ending.ERASED:
        return Standing("lost", _("Learner erased"))
    if stays_revoked(award, progress, template):
        return Standing("lost", _("Revoked, stays revoked"))
    return Standing("lost", _("Revoked, can be earned again"))


def stays_revoked(award: Award, progress: LearnerProgress, template: BadgeTemplate) -> bool:
    """Whether nothing that the learner goes on doing brings the badge back."""
    return not template.can_be_reawarded or (award.is_decided and progress.is_complete)


def _why_held(award: Award, gift: Gift | None) -> list[str]:
    found = [given_text(gift)] if gift is not None else []
    if award.expires_at is not None:
        found.append(_("Valid until %(day)s.") % {"day": day_text(award.expires_at)})
    return found


def given_text(gift: Gift) -> str:
    """Return who gave a badge by hand and why, in a sentence."""
    if gift.by and gift.reason:
        return _("Given by %(person)s: “%(reason)s”.") % {"person": gift.by, "reason": gift.reason}
    if gift.by:
        return _("Given by %(person)s.") % {"person": gift.by}
    return _("Given by hand: “%(reason)s”.") % {"reason": gift.reason} if gift.reason else _("Given by hand.")


def _why_ended(award: Award, progress: LearnerProgress, template: BadgeTemplate, learner: Person) -> list[str]:
    told = {"day": day_text(award.ended_at) if award.ended_at else "", "reason": award.reason.rstrip(".")}
    if award.state is AwardState.EXPIRED:
        found = [_("Expired on %(day)s.") % told]
    elif award.is_decided:
        found = [_("Revoked by a decision on %(day)s: “%(reason)s”.") % told]
    else:
        found = [_("Revoked on %(day)s: “%(reason)s”.") % told]
    if award.ending == Ending.ERASED:
        return found
    if not template.is_active:
        found.append(_("The badge is not active, so nobody can earn it now."))
    elif award.state is AwardState.EXPIRED:
        found.append(_("It can be earned again."))
    elif not template.can_be_reawarded:
        found.append(_("This badge is given once only, so it cannot be earned again."))
    elif award.is_decided and progress.is_complete:
        found.append(
            _(
                "What %(learner)s had done for it was kept and is complete, so doing it again brings nothing. The "
                "badge comes back when it is given back, or when something that it asks for is lost and done anew."
            )
            % {"learner": learner.name}
        )
    else:
        found.append(_("It is awarded again as soon as everything that it asks for is done."))
    return found


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
