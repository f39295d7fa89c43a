"""Where badges can be seen: images, public pages, and files of signed badges."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from badges_plugin.distribution import standing
from badges_plugin.distribution.open_badges.models import SLUG
from badges_plugin.images import pictures
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import Award, AwardState
from badges_plugin.web.shared import SignedDocument, documents_of, on_show, picture_at_provider


@dataclass(frozen=True)
class Image:
    """The image of a badge. ``url`` may be a path."""

    url: str
    has_svg: bool


@dataclass(frozen=True)
class Files:
    """Where a signed badge can be downloaded; an image that is a PNG cannot carry it as an SVG."""

    json: str
    jwt: str
    png: str
    svg: str | None


@dataclass(frozen=True)
class Places:
    """Where an award can be seen: ``public_url`` while it is published, ``files`` where the reader may have them."""

    public_url: str | None = None
    files: Files | None = None


@dataclass(frozen=True)
class Provider:
    """How a badge stands at a provider, in the words of programs. ``url`` is the learner's own."""

    name: str
    state: str
    url: str | None
    since: datetime | None


NOWHERE = Places()


def images(templates: Collection[BadgeTemplate]) -> dict[int, Image]:
    """Return images by the keys of their templates; a provider's badge looks as it does there. One query."""
    found = pictures(templates)
    return {row.pk: Image(picture_at_provider(row) or found[row.pk].url(), found[row.pk].has_svg) for row in templates}


def places(awards: Collection[Award], shown: dict[int, Image], *, for_owner: bool) -> dict[int, Places]:
    """Return where awards can be seen, by their keys. Five queries at most.

    ``shown`` are the images by the keys of templates. The owner may have the files of every badge that was not
    revoked, others those that are open to everybody.
    """
    documents = documents_of([each.id for each in awards])
    public = {each.document.award_id: each for each in on_show(list(documents.values())).values()}
    found = {}
    for award in awards:
        document = documents.get(award.id)
        if document is None or document.is_erased:
            found[award.id] = NOWHERE
            continue
        on_page = public.get(award.id)
        is_over = award.state is AwardState.REVOKED or document.is_revoked
        may_have = not is_over if for_owner else on_page is not None and on_page.is_open
        found[award.id] = Places(
            public_url=document.url if on_page is not None else None,
            files=files_of(document, shown[award.template_id]) if may_have else None,
        )
    return found


def providers(awards: Collection[Award]) -> dict[int, list[Provider]]:
    """Return how awards stand at their providers, by their keys. Two queries, and those of each backend."""
    found = standing.standings([each.id for each in awards])
    return {
        each.id: [
            Provider(one.provider, one.at.place.value.replace(" ", "_"), one.at.url or None, one.at.since)
            for one in found.get(each.id, ())
            if one.slug != SLUG  # the files say that
        ]
        for each in awards
    }


def files_of(document: SignedDocument, image: Image) -> Files:
    """Return where the files of a signed badge are."""
    address = f"{document.url.rstrip('/')}/badge"
    svg = f"{address}.svg" if image.has_svg else None
    return Files(json=f"{address}.json", jwt=f"{address}.jwt", png=f"{address}.png", svg=svg)
