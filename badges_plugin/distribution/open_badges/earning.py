"""What the badges of a template say that they are for, in the language of the site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from badges_plugin import reading, reasons
from badges_plugin.distribution.api import BadgeTemplate, web_url
from badges_plugin.distribution.open_badges import addresses
from badges_plugin.distribution.open_badges.data import AchievementFacts, Alignment
from badges_plugin.distribution.open_badges.models import AchievementDetails, BadgeAlignment, IssuerProfile
from badges_plugin.images import Picture, pictures

# What Markdown would take for its own signs. An underscore within a word is none.
_SIGNS = re.compile(r"([\\`*\[\]<>]|(?<![^\W_])_|_(?![^\W_]))")


@dataclass(frozen=True, slots=True)
class Achievement:
    """The achievement of a template, and what each of its requirements asks for, by their keys."""

    facts: AchievementFacts
    sentences: Mapping[int, str]


def achievements(
    templates: Sequence[BadgeTemplate], profiles: Mapping[int, IssuerProfile], *, base_url: str = ""
) -> dict[int, Achievement]:
    """Return the achievements of templates, by their keys. At most ten queries for any number of them.

    ``base_url`` takes the place of the issuers' own.
    """
    rows = {template.pk: template for template in templates}
    details = AchievementDetails.objects.in_bulk(list(rows))
    alignments: dict[int, list[Alignment]] = {pk: [] for pk in rows}
    for each in BadgeAlignment.objects.filter(template__in=list(rows)).order_by("pk"):
        alignments[each.template_id].append(
            Alignment(each.name, each.url, framework=each.framework, code=each.code, type=each.type)
        )
    with reasons.in_site_language():
        asked, drawn = reading.criteria(list(rows)), pictures(list(rows.values()))
        return {
            pk: _achievement(
                template,
                base_url or profiles[template.site_id].base_url,
                asked[pk],
                drawn[pk],
                details.get(pk) or AchievementDetails(template=template),
                tuple(alignments[pk]),
            )
            for pk, template in rows.items()
            if pk in asked
        }


def _achievement(
    template: BadgeTemplate,
    base_url: str,
    asked: reading.CriteriaText,
    picture: Picture,
    details: AchievementDetails,
    alignments: tuple[Alignment, ...],
) -> Achievement:
    facts = AchievementFacts(
        id=addresses.achievement_url(base_url, template.uuid),
        name=template.name,
        description=template.description,
        criteria=criteria_text(asked),
        type=details.achievement_type,
        image_url=web_url(template.icon) or addresses.image_url(base_url, template.uuid, picture.digest),
        tags=details.tag_list,
        alignments=alignments,
        language=settings.LANGUAGE_CODE,
    )
    sentences = {each.id: each.sentence for group in asked.groups for each in group.requirements}
    return Achievement(facts, sentences)


def criteria_text(asked: reading.CriteriaText) -> str:
    """Return what a badge asks for in Markdown: a list of what has to be done, then a paragraph for each condition.

    A badge that asks for nothing any more says so.
    """
    steps = asked.steps or (_("This badge can no longer be earned."),)
    todo = "\n".join(f"- {plain(step)}" for step in steps)
    return "\n\n".join([todo, *map(plain, asked.conditions)])


def plain(text: str) -> str:
    """Return Markdown that shows the text as it is, in one line."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
