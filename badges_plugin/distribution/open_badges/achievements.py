"""The Achievement in a badge, and the grade that was earned in it."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from badges_plugin.distribution.open_badges import texts
from badges_plugin.distribution.open_badges.data import (
    ACHIEVEMENT_TYPES,
    ALIGNMENT_TYPES,
    AchievementFacts,
    Alignment,
    Document,
    GradeResult,
    UnsignableBadge,
)

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%")
_LETTER = re.compile(r"[A-F][+-]?")


def achievement_node(facts: AchievementFacts) -> Document:
    """Return the Achievement; raise UnsignableBadge."""
    name = texts.required(facts.name, _("The name of the badge"))
    node: dict[str, Any] = {
        "id": texts.identifier(facts.id, _("The id of the achievement")),
        "type": ["Achievement"],
        "achievementType": texts.one_of(facts.type, ACHIEVEMENT_TYPES, _("The type of the achievement")),
        "name": name,
        # It is required, and many badges have none.
        "description": texts.clean(facts.description) or name,
        "criteria": _criteria(facts),
    }
    if facts.image_url:
        node["image"] = texts.image(facts.image_url, _("The image of the badge"))
    if tags := list(dict.fromkeys(filter(None, map(texts.clean, facts.tags)))):
        node["tag"] = tags
    if facts.alignments:
        node["alignment"] = _alignments(facts.alignments)
    if language := texts.language(facts.language):
        node["inLanguage"] = language
    return node


def result_nodes(facts: AchievementFacts, grade: GradeResult) -> tuple[Document, Document]:
    """Return the ResultDescription, for the achievement, and the Result, for its learner."""
    value = texts.required(grade.value, _("The grade"))
    described: dict[str, Any] = {
        "id": f"{facts.id}{'-' if '#' in facts.id else '#'}result",
        "type": ["ResultDescription"],
        "name": texts.clean(grade.name) or _("Grade"),
        "resultType": "LetterGrade" if _LETTER.fullmatch(value) else "Result",
    }
    if percent := _PERCENT.fullmatch(value):
        value = percent[1]
        described |= {"resultType": "Percent", "valueMin": "0", "valueMax": "100"}
    return described, {"type": ["Result"], "resultDescription": described["id"], "value": value}


def _criteria(facts: AchievementFacts) -> Document:
    criteria: dict[str, Any] = {}
    if facts.criteria_url:
        criteria["id"] = texts.web_url(facts.criteria_url, _("The address of the criteria"))
    if narrative := texts.clean(facts.criteria):
        criteria["narrative"] = narrative
    if not criteria:
        raise UnsignableBadge(_("The badge does not say what it is awarded for."))
    return criteria


def _alignments(found: tuple[Alignment, ...]) -> list[Document]:
    nodes: list[Document] = []
    for alignment in found:
        node: dict[str, Any] = {
            "type": ["Alignment"],
            "targetName": texts.required(alignment.name, _("The name of an alignment")),
            "targetUrl": texts.web_url(alignment.url, _("The address of an alignment")),
            "targetFramework": texts.clean(alignment.framework),
            "targetCode": texts.clean(alignment.code),
            "targetDescription": texts.clean(alignment.description),
        }
        if alignment.type:
            node["targetType"] = texts.one_of(alignment.type, ALIGNMENT_TYPES, _("The type of an alignment"))
        node = {name: value for name, value in node.items() if value}
        if node not in nodes:
            nodes.append(node)
    return nodes
