"""The facts that say why a penalty ended an award."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from badges_plugin.data import BadgingEvent
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.host import course_titles
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeTemplate
from badges_plugin.models.key_paths import compile_for
from badges_plugin.reasons import MAX_LENGTH, subject_of


def facts_of(template: BadgeTemplate, event: BadgingEvent) -> dict[str, Any]:
    """Return the event that ended an award, what it is about, and the penalty that applied.

    No query where the template comes with its penalties and their rules, as ``collector`` prefetches them.
    Of several penalties the first that staff have described. Nothing that names the learner is kept.
    """
    facts: dict[str, Any] = {
        "event": {"id": str(event.stamp.id), "type": event.type, "time": event.stamp.time.isoformat()},
        "subject": subject_of(event.type, event.payload),
    }
    penalties = sorted(template.penalties.all(), key=lambda penalty: penalty.pk)
    applied = [penalty for penalty in penalties if _applies(penalty, event)]
    penalty = next((each for each in applied if each.description), applied[0] if applied else None)
    if penalty is not None:
        facts["penalty"] = {"id": penalty.pk, "description": penalty.description[: MAX_LENGTH + 1]}
    return facts


def name_courses(awards: Iterable[BadgeAward]) -> None:
    """Add the titles of the courses that ended awards, where the events did not tell them. One query at most.

    The LMS leaves them out of most of its events; the catalog knows them.
    """
    unnamed = [(award, key) for award in awards if (key := _unnamed_course(award))]
    titles = course_titles({key for _, key in unnamed})
    for award, key in unnamed:
        if title := titles.get(key):
            subject = {**award.ending_facts["subject"], "name": title[:MAX_LENGTH]}
            award.ending_facts = {**award.ending_facts, "subject": subject}


def event_id(award: BadgeAward) -> str:
    """Return the id of the event that ended an award; empty where none did."""
    return str(award.ending_facts.get("event", {}).get("id", ""))


def _unnamed_course(award: BadgeAward) -> str:
    """Return the key of the course; empty where it has a name, or it is something else, which has a UUID."""
    subject = award.ending_facts.get("subject", {})
    key = str(subject.get("key", ""))
    return key if ":" in key and not subject.get("name") else ""


def _applies(penalty: BadgePenalty, event: BadgingEvent) -> bool:
    if penalty.event_type != event.type:
        return False
    try:
        rules = [compile_for(penalty.event_type, rule) for rule in penalty.existing_rules()]
    except (InvalidRule, UnusableEventType):
        return False  # as in the ruleset
    return bool(rules) and all(rule.matches(event) for rule in rules)
