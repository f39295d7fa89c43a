"""Who changed what a badge asks for, when, in words: what was deleted as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from badges_plugin.host import course_titles
from badges_plugin.models import BadgeTemplate
from badges_plugin.models.records import DELETED, PERSON
from badges_plugin.reading.asking import with_rules
from badges_plugin.reading.composing import Facts, courses_in, phrase
from badges_plugin.reading.differences import condition_edits, group_edits, template_edits
from badges_plugin.reading.people import names_of
from badges_plugin.reading.recorded import Key, Kind, Picture, Step, replay
from badges_plugin.reading.words import event_label, rules_sentence


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stood."""

    key_path: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that was changed. ``details``: the rules by their key paths, before and after, for support."""

    sentence: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody changed at once. ``by``: in words, a name or who else it was; ``user_id`` of a known person."""

    at: datetime
    by: str
    user_id: int | None
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The changes of one badge, the newest first.

    ``name``: as the badge is, or was, called; empty if nothing is known of it. ``is_complete``: whether they go back to
    when it was created.
    """

    name: str
    exists: bool
    changes: tuple[Change, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class DeletedBadge:
    """A badge that there was. ``by``: as in ``Change``."""

    template_id: int
    name: str
    at: datetime
    by: str


def deleted_badges(most: int) -> list[DeletedBadge]:
    """Return up to so many deleted badges, the last deleted first. At most two queries."""
    rows = list(BadgeTemplate.history.filter(history_type=DELETED).order_by("-history_id")[:most])
    people = names_of({row.history_user_id for row in rows if row.history_user_id is not None})
    return [
        DeletedBadge(
            row.id,
            row.name,
            row.history_date,
            _by(row.history_user_id, row.history_change_reason == PERSON, people),
        )
        for row in rows
    ]


def history_of(template_id: int) -> History:
    """Return what was changed in a badge's configuration, also of one that is deleted. At most ten queries.

    Of very many changes only the newest are told, some 2,000.
    """
    found = replay(template_id)
    needed = {record.state["needs_badge_id"] for record in found.records if record.kind is Kind.REQUIREMENT}
    stored = _names({template_id, *needed} - {None})
    names = stored | _former_names({template_id, *needed} - {None} - stored.keys())
    people = names_of({step.user_id for step in found.steps if step.user_id is not None})
    said = _Sayings(found.steps, names)
    changes = [_change(step, edits, people) for step in found.steps if (edits := tuple(_edits(step, said)))]
    return History(
        name=names.get(template_id, ""),
        exists=template_id in stored,
        changes=tuple(reversed(changes)),
        is_complete=found.is_complete,
    )


def _change(step: Step, edits: tuple[Edit, ...], people: Mapping[int, str]) -> Change:
    by = _by(step.user_id, step.by_person, people)
    return Change(step.at, by, step.user_id if step.user_id in people else None, edits)


class _Sayings:
    """The sentences of requirements and penalties, as they stood in some pictures. One query for course titles."""

    def __init__(self, steps: Iterable[Step], names: Mapping[int, str]) -> None:
        self._names = names
        self._facts = {
            (id(picture), key): facts
            for step in steps
            for picture in (step.before, step.after)
            for key in _conditions(step)
            if (facts := self._compose(picture, key)) is not None
        }
        self._titles = course_titles({key for facts in self._facts.values() for key in courses_in(facts)})

    def facts(self, picture: Picture, key: Key) -> Facts | None:
        return self._facts.get((id(picture), key))

    def sentence(self, picture: Picture, key: Key) -> str:
        facts = self._facts.get((id(picture), key)) or self._compose(picture, key)
        return "" if facts is None else str(phrase(facts, self._titles))

    def _compose(self, picture: Picture, key: Key) -> Facts | None:
        kind, pk = key
        state = picture.get(kind, pk)
        if state is None:
            return None
        rules = [RuleState(row["key_path"], row["operator"], row["value"]) for row in picture.rules(kind, pk)]
        written = rules_sentence(rules)
        description = state["description"]
        if kind is Kind.PENALTY:
            return with_rules(
                Facts(state["event_type"], None, written, description=description, is_penalty=True), rules
            )
        needed = state["needs_badge_id"]
        bare = Facts(
            state["event_type"],
            None,
            written,
            description=description,
            count=state["count"],
            counted_by=state["counted_by"],
            needs_badge="" if needed is None else self._names.get(needed, f"#{needed}"),
        )
        return with_rules(bare, rules)


def _conditions(step: Step) -> Iterator[Key]:
    """Yield the requirements and penalties that a step is about, and those that it names besides."""
    for kind, pk in step.touched:
        if kind in (Kind.REQUIREMENT, Kind.PENALTY):
            yield kind, pk
        if kind is Kind.PENALTY:
            state = step.after.get(kind, pk)
            yield from ((Kind.REQUIREMENT, linked) for linked in (state["linked_ids"] if state else ()))


def _edits(step: Step, said: _Sayings) -> Iterator[Edit]:
    for kind, pk in step.touched:
        before, after = step.before.get(kind, pk), step.after.get(kind, pk)
        match kind:
            case Kind.TEMPLATE:
                yield from map(Edit, template_edits(before, after))
            case Kind.GROUP:
                yield from map(Edit, group_edits(before, after))
            case Kind.REQUIREMENT | Kind.PENALTY:
                yield from _condition_edits(step, (kind, pk), said)


def _condition_edits(step: Step, key: Key, said: _Sayings) -> Iterator[Edit]:
    was, now = said.facts(step.before, key), said.facts(step.after, key)
    details = []
    if was is not None and not (now is not None and was.written == now.written):
        details.append(_("Before: %(rules)s") % {"rules": _rules_of(was)})
    if now is not None and details:
        details.append(_("Afterwards: %(rules)s") % {"rules": _rules_of(now)})
    elif now is not None and was is None:
        details.append(_rules_of(now))
    for sentence in condition_edits(step, key, _as_written(was) != _as_written(now), said.sentence):
        yield Edit(sentence, tuple(details))
        details = []


def _as_written(facts: Facts | None) -> Facts | None:
    """Return what can be compared: compiled rules are not equal to one another."""
    return None if facts is None else replace(facts, rules=None, said={})


def _rules_of(facts: Facts) -> str:
    if facts.needs_badge:
        return event_label(facts.event_type)
    return f"{event_label(facts.event_type)}: {facts.written}"


def _names(template_ids: set[int]) -> dict[int, str]:
    return dict(BadgeTemplate.objects.filter(pk__in=template_ids).order_by().values_list("pk", "name"))


def _former_names(template_ids: set[int]) -> dict[int, str]:
    """Return the last names of badges that there were."""
    if not template_ids:
        return {}
    records = BadgeTemplate.history.filter(id__in=template_ids).order_by("history_id")
    return dict(records.values_list("id", "name"))


def _by(user_id: int | None, by_person: bool, people: Mapping[int, str]) -> str:
    if user_id is not None and (name := people.get(user_id)):
        return name
    return _("Somebody whose account is gone") if by_person else _("A command or a synchronization")
