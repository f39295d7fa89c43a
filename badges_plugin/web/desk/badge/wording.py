"""What a badge asks for as one paragraph: the lead of every page about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import wordings
from badges_plugin.reading.asking import Said, conditions_of, criteria_of
from badges_plugin.reading.phrases import Courses, Phrase


def paragraph(template: BadgeTemplate, *, unfinished: int = 0) -> str:
    """Return the sentences of a template whose conditions are prefetched. One query for titles.

    ``unfinished``: lines of a form that do not say yet what they are about.
    """
    said = Said(conditions_of([template]))
    text = criteria_of(template, said)
    sentences = list(text.steps)
    if unfinished:
        sentences.append(_("And something that is not chosen yet") if sentences else _("Nothing is chosen yet"))
    if template.is_given_by_staff and template.requirements.all():
        sentences.append(_("Or awarded by staff"))
    sentences += text.validity or [_("Valid forever")]
    sentences += _losses([said.phrase(penalty) for penalty in template.penalties.all()])
    if not template.can_be_reawarded:
        sentences.append(_("Who lost it cannot earn it again"))
    # A sentence may end in an abbreviation, such as that of a month.
    return " ".join(each if each.endswith(".") else _("%s.") % each for each in sentences)


def _losses(phrases: Sequence[Phrase]) -> Iterator[str]:
    """Say the losses of several courses in one sentence where they differ in nothing else."""
    open_phrases = list(phrases)
    while open_phrases:
        first = open_phrases[0]
        alike = [each for each in open_phrases if _is_alike(first, each)] or [first]
        open_phrases = [each for each in open_phrases if each not in alike]
        names = dict.fromkeys(name for each in alike for name in each.courses.names)
        yield str(replace(first, courses=Courses(names=tuple(names))) if len(alike) > 1 else first)


def _is_alike(first: Phrase, other: Phrase) -> bool:
    return (
        isinstance(first.wording, wordings.LossWording)
        and bool(first.courses.names and other.courses.names)
        and replace(other, courses=first.courses) == first
    )
