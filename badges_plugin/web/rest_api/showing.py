"""Put together what answers show: a fixed number of queries for a page of any length."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from rest_framework.request import Request

from badges_plugin import reading
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import Award, CriteriaText, Holder, LearnerProgress
from badges_plugin.web.rest_api.places import Files, Image, Provider, images, places, providers


@dataclass(frozen=True)
class Badge:
    uuid: UUID
    name: str
    description: str
    image_url: str


@dataclass(frozen=True)
class Learner:
    """A learner, as staff see one.

    .. pii: Carries the user name and name of a learner in memory; never logged.
    .. pii_types: username, name
    .. pii_retirement: retained
    """

    username: str
    name: str


@dataclass(frozen=True)
class ShownAward:
    award: Award
    badge: Badge
    learner: Learner
    public_url: str | None
    files: Files | None
    providers: Sequence[Provider]


@dataclass(frozen=True)
class ShownProgress:
    progress: LearnerProgress
    badge: Badge

    @property
    def state(self) -> str:
        """Return the state as programs spell it."""
        return self.progress.state.value.replace(" ", "_")

    @property
    def needed(self) -> int:
        return len(self.progress.groups)

    @property
    def share(self) -> float:
        return round(self.progress.share, 4)


@dataclass(frozen=True)
class CatalogEntry:
    uuid: UUID
    name: str
    description: str
    image_url: str
    criteria: CriteriaText


def badges(template_ids: Collection[int], request: Request) -> tuple[dict[int, Badge], dict[int, Image]]:
    """Return what is shown of badges, and their images, by the keys of their templates. Two queries."""
    rows = list(BadgeTemplate.objects.filter(pk__in=template_ids))
    found = images(rows)
    # An absolute address leads here also from a page of another site.
    shown = {
        row.pk: Badge(row.uuid, row.name, row.description, request.build_absolute_uri(found[row.pk].url))
        for row in rows
    }
    return shown, found


def awards(holders: Sequence[Holder], request: Request, *, for_owner: bool) -> list[ShownAward]:
    """Return awards with their badges and where they can be seen, by their owner or by others.

    Seven queries at most; for their owner, who is told how they stand at providers, two more and those of backends.
    """
    shown, pictured = badges({each.award.template_id for each in holders}, request)
    rows = [each.award for each in holders]
    seen = places(rows, pictured, for_owner=for_owner)
    elsewhere = providers(rows) if for_owner else {}
    return [
        ShownAward(
            award=each.award,
            badge=shown[each.award.template_id],
            learner=Learner(each.username, each.full_name),
            public_url=seen[each.award.id].public_url,
            files=seen[each.award.id].files,
            providers=elsewhere.get(each.award.id, ()),
        )
        for each in holders
    ]


def progress(progress_ids: Sequence[int], request: Request) -> list[ShownProgress]:
    """Return stored progress, in this order. At most nine queries."""
    found = reading.progress_rows(progress_ids)
    shown, _images = badges({each.template_id for each in found.values()}, request)
    return [ShownProgress(found[key], shown[found[key].template_id]) for key in progress_ids if key in found]


def catalog(template_ids: Sequence[int], request: Request) -> list[CatalogEntry]:
    """Return badges with what they ask for, in this order. At most nine queries."""
    shown, _images = badges(template_ids, request)
    asked = reading.criteria(template_ids)
    return [
        CatalogEntry(shown[key].uuid, shown[key].name, shown[key].description, shown[key].image_url, asked[key])
        for key in template_ids
        if key in shown and key in asked
    ]
