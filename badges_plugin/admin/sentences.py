"""What staff set up, said in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.data import ValueKind
from badges_plugin.models import BadgePenalty, BadgeRequirement
from badges_plugin.models.requirements import AbstractDataRule

Condition = BadgeRequirement | BadgePenalty

KIND_LABELS = {
    ValueKind.BOOLEAN: gettext_lazy("true or false"),
    ValueKind.NUMBER: gettext_lazy("number"),
    ValueKind.DATETIME: gettext_lazy("date and time"),
    ValueKind.TEXT: gettext_lazy("text"),
    ValueKind.LIST: gettext_lazy("list"),
}

_EVENT_TYPE = re.compile(r"^org\.openedx\.[a-z_]+\.(?P<words>.+)\.(?P<version>v\d+)$")


def event_label(event_type: str) -> str:
    """Return "Course passing status updated" for ``org.openedx.learning.course.passing.status.updated.v1``."""
    found = _EVENT_TYPE.match(event_type)
    if found is None:
        return event_type
    words = re.sub(r"[._]", " ", found["words"])
    return words[:1].upper() + words[1:] + ("" if found["version"] == "v1" else f" ({found['version']})")


def moment(text: str) -> str:
    """Return a time that was stored as text as the pages of the admin show times: where the site is."""
    return date_format(timezone.localtime(datetime.fromisoformat(text)), "DATETIME_FORMAT")


def rule_sentence(rule: AbstractDataRule) -> str:
    """Return "is_passing equal to true"."""
    value = ", ".join(line.strip() for line in rule.value.splitlines() if line.strip())
    return f"{rule.key_path} {rule.get_operator_display()} {value}"


def rules_sentence(rules: Iterable[AbstractDataRule]) -> str:
    """Return the rules joined by "and". ``rules`` of a condition should be prefetched in lists."""
    return _(" and ").join(rule_sentence(rule) for rule in rules) or _("every event of this type")


def condition_sentence(condition: Condition) -> str:
    """Return what a requirement or penalty is, in the words of whoever set it up or else by its rules."""
    if condition.description:
        return condition.description
    return f"{event_label(condition.event_type)}: {rules_sentence(condition.rules.all())}"
