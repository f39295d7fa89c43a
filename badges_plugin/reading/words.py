"""Words for the smallest things: event types, operators, values, lists and dates, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.data import ValueKind
from badges_plugin.models.validity import RuleText
from badges_plugin.rules import Operator

KIND_LABELS = {
    ValueKind.BOOLEAN: gettext_lazy("true or false"),
    ValueKind.NUMBER: gettext_lazy("number"),
    ValueKind.DATETIME: gettext_lazy("date and time"),
    ValueKind.TEXT: gettext_lazy("text"),
    ValueKind.LIST: gettext_lazy("list"),
}

_RULES = {
    Operator.EQUAL: gettext_lazy("%(key_path)s is %(value)s"),
    Operator.NOT_EQUAL: gettext_lazy("%(key_path)s is not %(value)s"),
    Operator.GREATER: gettext_lazy("%(key_path)s is greater than %(value)s"),
    Operator.GREATER_OR_EQUAL: gettext_lazy("%(key_path)s is at least %(value)s"),
    Operator.LESS: gettext_lazy("%(key_path)s is less than %(value)s"),
    Operator.LESS_OR_EQUAL: gettext_lazy("%(key_path)s is at most %(value)s"),
    Operator.ONE_OF: gettext_lazy("%(key_path)s is one of: %(value)s"),
    Operator.CONTAINS: gettext_lazy("%(key_path)s contains %(value)s"),
    Operator.STARTS_WITH: gettext_lazy("%(key_path)s starts with %(value)s"),
    Operator.MATCHES: gettext_lazy("%(key_path)s matches %(value)s"),
}

_EVENT_TYPE = re.compile(r"^org\.openedx\.[a-z_]+\.(?P<words>.+)\.(?P<version>v\d+)$")


def event_label(event_type: str) -> str:
    """Return "Course passing status updated" for ``org.openedx.learning.course.passing.status.updated.v1``."""
    found = _EVENT_TYPE.match(event_type)
    if found is None:
        return event_type
    words = re.sub(r"[._]", " ", found["words"])
    return words[:1].upper() + words[1:] + ("" if found["version"] == "v1" else f" ({found['version']})")


def rule_sentence(rule: RuleText) -> str:
    """Return "is_passing is true" for a rule as it is stored, whether or not it can be used."""
    value = ", ".join(line.strip() for line in rule.value.splitlines() if line.strip())
    sentence = _RULES.get(Operator(rule.operator)) if rule.operator in list(Operator) else None
    if sentence is None:
        return f"{rule.key_path} {rule.operator} {value}"
    return sentence % {"key_path": rule.key_path, "value": value}


def rules_sentence(rules: Iterable[RuleText]) -> str:
    """Return the rules joined by "and"."""
    return join_and(rule_sentence(rule) for rule in rules) or _("every event of this type")


def join_and(items: Iterable[str]) -> str:
    return _join(items, _("%(first)s and %(second)s"))


def join_list(items: Iterable[str]) -> str:
    """Return short names in a row."""
    return _join(items, _("%(first)s, %(second)s"))


def join_sentences(items: Iterable[str]) -> str:
    """Return sentences without a full stop in a row."""
    return _join(items, _("%(first)s; %(second)s"))


def day_and_time(moment: datetime) -> str:
    """Return an instant as the site's clocks show it."""
    return date_format(timezone.localtime(moment, timezone.get_default_timezone()), "DATETIME_FORMAT")


def moment(text: str) -> str:
    """Return an instant that was stored as text, as ``day_and_time`` says it."""
    return day_and_time(datetime.fromisoformat(text))


def _join(items: Iterable[str], pattern: str) -> str:
    # A pattern for two, so that languages choose the words, the signs and the order.
    given = list(items)
    return reduce(lambda first, second: pattern % {"first": first, "second": second}, given) if given else ""
