"""The rows of *My badges*: each badge with the state it is in and what its learner can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.urls import reverse

from badges_plugin import reading
from badges_plugin.distribution import standing
from badges_plugin.distribution.open_badges.models import SLUG
from badges_plugin.models import BadgeRequirement, BadgeTemplate, Ending
from badges_plugin.reading import Award, AwardState, GroupProgress, LearnerProgress
from badges_plugin.web.models import NameShown, Publication
from badges_plugin.web.shared import Art, SignedDocument, arts, documents_of


@dataclass(frozen=True)
class Earned:
    """A badge that is valid now. ``document`` is None while it is not signed here, or never will be.

    ``providers`` say where else it is.
    """

    award: Award
    art: Art
    document: SignedDocument | None
    publication: Publication | None
    providers: tuple[standing.Standing, ...]
    is_being_signed: bool

    @property
    def is_public(self) -> bool:
        return self.publication is not None and self.publication.is_public

    @cached_property
    def page(self) -> str:
        """The path of the badge's page; empty where it has none."""
        return reverse("badges_web:badge", args=[self.document.uuid]) if self.document else ""

    @cached_property
    def options(self) -> str:
        """The path of the page on which it is published."""
        return reverse("badges_web:publish", args=[self.document.uuid]) if self.document else ""

    @property
    def shows_name(self) -> bool:
        return self.publication is not None and self.publication.name_shown != NameShown.NONE


@dataclass(frozen=True)
class OnTheWay:
    """A badge that is not earned yet: how far, what is missing, and what was heard last."""

    progress: LearnerProgress
    art: Art
    template_uuid: UUID

    @property
    def missing(self) -> list[str]:
        return [group.sentence for group in self.progress.groups if not group.is_fulfilled]

    @property
    def last_news(self) -> tuple[str, str] | None:
        """Return what was asked for, and what was heard of it last."""
        heard = [
            (each.last_event.time, each.sentence, each.last_event.text)
            for group in self.progress.groups
            for each in group.requirements
            if each.last_event is not None
        ]
        return max(heard)[1:] if heard else None

    @property
    def steps(self) -> list[Step]:
        return [_step(group) for group in self.progress.groups]


@dataclass(frozen=True)
class Step:
    """One thing that a badge asks for.

    ``details``: what was done of several requirements or, of a single one, what was heard of it last.
    """

    sentence: str
    is_done: bool
    done: int
    needed: int
    details: tuple[str, ...]


@dataclass(frozen=True)
class Past:
    """A badge that was revoked or has expired, and whether it can be earned again."""

    award: Award
    art: Art
    document: SignedDocument | None
    publication: Publication | None
    template_uuid: UUID
    is_earnable: bool

    @property
    def is_expired(self) -> bool:
        return self.award.state is AwardState.EXPIRED

    @property
    def is_public(self) -> bool:
        return self.publication is not None and self.publication.is_public


class Cabinet:
    """Reads what rows need, for all rows of a page at once: a fixed number of queries."""

    def __init__(self, award_ids: Sequence[int], progress_ids: Sequence[int]) -> None:
        self._awards = reading.awards(award_ids)
        self._progress = reading.progress_rows(progress_ids) if progress_ids else {}
        wanted = {each.template_id for each in self._awards.values()}
        wanted |= {each.template_id for each in self._progress.values()}
        self._templates = BadgeTemplate.objects.in_bulk(wanted)
        self._asking = _asking(self._templates.values())
        self._arts = arts(self._templates.values())
        self._documents = {pk: each for pk, each in documents_of(award_ids).items() if not each.is_erased}
        publications = Publication.objects.filter(award__in=award_ids).order_by("pk")
        self._publications: Mapping[int, Publication] = {row.award_id: row for row in publications}
        self._standings = standing.standings(award_ids)

    @property
    def pictures(self) -> list[str]:
        return [art.url for art in self._arts.values() if art.is_elsewhere]

    def earned(self, award_ids: Iterable[int]) -> list[Earned]:
        """Return rows of awards that are held, in the order that was asked for."""
        return [self._earned(self._awards[pk]) for pk in award_ids if pk in self._awards]

    def on_the_way(self, progress_ids: Iterable[int]) -> list[OnTheWay]:
        """Return rows of progress."""
        found = [self._progress[pk] for pk in progress_ids if pk in self._progress]
        return [OnTheWay(each, self._arts[each.template_id], self._templates[each.template_id].uuid) for each in found]

    def past(self, award_ids: Iterable[int]) -> list[Past]:
        """Return rows of awards that have ended."""
        return [self._past(self._awards[pk]) for pk in award_ids if pk in self._awards]

    def _earned(self, award: Award) -> Earned:
        document = self._documents.get(award.id)
        standings = self._standings.get(award.id, ())
        return Earned(
            award=award,
            art=self._arts[award.template_id],
            document=document,
            publication=self._publications.get(award.id),
            providers=tuple(each for each in standings if each.slug != SLUG),
            is_being_signed=document is None and any(each.slug == SLUG for each in standings),
        )

    def _past(self, award: Award) -> Past:
        template = self._templates[award.template_id]
        asks = template.pk in self._asking
        is_expired = award.state is AwardState.EXPIRED
        return Past(
            award=award,
            art=self._arts[award.template_id],
            document=self._documents.get(award.id),
            publication=self._publications.get(award.id),
            template_uuid=template.uuid,
            is_earnable=template.is_active and asks and (is_expired or _can_be_earned_again(template, award)),
        )


def _asking(templates: Iterable[BadgeTemplate]) -> set[int]:
    """Return the keys of badges that ask for something, so that learners can earn them. One query, or none."""
    given = {template.pk for template in templates if template.is_given_by_staff}
    asking = (
        set(BadgeRequirement.objects.filter(template__in=given).values_list("template", flat=True)) if given else ()
    )
    return {template.pk for template in templates if template.pk not in given or template.pk in asking}


def _can_be_earned_again(template: BadgeTemplate, award: Award) -> bool:
    return award.ending == Ending.UNDONE or (template.can_be_reawarded and not award.is_decided)


def _step(group: GroupProgress) -> Step:
    several = len(group.requirements) > 1
    details = tuple(each.sentence for each in group.requirements if each.is_fulfilled) if several else ()
    if several:
        return Step(group.sentence, group.is_fulfilled, group.done, group.needed, details)
    only = group.requirements[0]
    since = (only.last_event.text,) if only.last_event is not None else ()
    return Step(group.sentence, group.is_fulfilled, only.done, only.needed, since)
