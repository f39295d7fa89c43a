"""The story of an award, oldest first: the events, the award, its deliveries, what staff did, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.distribution.telling import AttemptTold, DeliveryTold
from badges_plugin.models import BadgeAward
from badges_plugin.reading import Award, AwardState, LearnerProgress, event_label, join_sentences
from badges_plugin.reading.happenings import Happening, Mark
from badges_plugin.reading.people import name_of
from badges_plugin.times import day_text
from badges_plugin.web.desk.cards import given_text

LATE = timedelta(days=1)
"""From then on it is told when this site learned of something."""


@dataclass(frozen=True)
class Step:
    """One thing of a story. ``shape`` may be empty; ``detail`` may be somebody's own words."""

    at: datetime
    shape: str
    text: str
    """Without a full stop."""
    note: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Facts:
    """All that a story is made of."""

    row: BadgeAward
    award: Award
    progress: LearnerProgress
    happenings: tuple[Happening, ...]
    sentences: Mapping[str, str]
    """What ``fulfilling_sentences`` returns: for events after which others said something of the same."""
    rule: tuple[str, ...]
    """What the badge asks for, a sentence for each group."""
    deliveries: tuple[DeliveryTold, ...]


def story_of(facts: Facts) -> list[Step]:
    """Return the steps of a story, oldest first. Two queries."""
    # What happened at the same moment stays in this order.
    steps = [*_events(facts), _award(facts), *_deliveries(facts.deliveries), *_ending(facts), *_done_by_staff(facts)]
    return sorted(steps, key=lambda step: step.at)


def _events(facts: Facts) -> Iterator[Step]:
    told = {str(each.event_id): each for each in facts.happenings}
    total = len(facts.row.events)
    for number, event in enumerate(facts.row.events, start=1):
        known = told.get(event["id"])
        grade = event.get("grade", "")
        is_same = known is not None and known.mark is not Mark.LOST
        text = known.text if known is not None and is_same else facts.sentences.get(event["type"], "")
        text = text or event_label(event["type"])
        if grade:
            text = _("%(what)s (%(grade)s)") % {"what": text, "grade": grade}
        note = _("%(number)d of %(total)d.") % {"number": number, "total": total} if total > 1 else ""
        yield Step(datetime.fromisoformat(event["time"]), "ok", text, note)


def _award(facts: Facts) -> Step:
    award = facts.award
    if award.number == 1:
        notes = [_("First award of this badge to this learner.")]
    else:
        notes = [_("Award number %(number)d of this badge to this learner.") % {"number": award.number}]
    if facts.row.recorded_at - facts.row.awarded_at > LATE:
        notes.append(_("This site learned of it on %(day)s.") % {"day": day_text(facts.row.recorded_at)})
    if award.by_hand is not None:
        return Step(award.awarded_at, "ok", _("Awarded by hand"), " ".join([given_text(award.by_hand), *notes]))
    text = _("Awarded")
    rule = join_sentences(facts.rule)
    if rule:
        notes.insert(0, _("The badge asks for this: %(rule)s.") % {"rule": rule})
    return Step(award.awarded_at, "ok", text, " ".join(notes))


def _deliveries(deliveries: Iterable[DeliveryTold]) -> Iterator[Step]:
    for delivery in deliveries:
        skipped = delivery.attempts - len(delivery.log)
        if skipped > 0 and delivery.log:
            text = ngettext(
                "%(count)d earlier attempt at %(provider)s", "%(count)d earlier attempts at %(provider)s", skipped
            )
            told = text % {"count": skipped, "provider": delivery.provider}
            yield Step(delivery.created, "", told)
        yield from map(_attempt, delivery.log)


def _attempt(attempt: AttemptTold) -> Step:
    shape = str(attempt.shape) if attempt.shape != "lost" else ""
    return Step(attempt.at, shape, attempt.text.rstrip("."), detail=attempt.detail)


def _ending(facts: Facts) -> Iterator[Step]:
    award = facts.award
    if award.ended_at is None:
        return
    if award.state is AwardState.EXPIRED:
        yield Step(award.ended_at, "bad", _("Expired"))
        return
    note = ""
    recorded = facts.row.revocation_recorded_at
    if recorded is not None and recorded - award.ended_at > LATE:
        note = _("This site learned of it on %(day)s.") % {"day": day_text(recorded)}
    yield Step(award.ended_at, "bad", award.ending_text[:1].upper() + award.ending_text[1:], note, award.reason)


def _done_by_staff(facts: Facts) -> Iterator[Step]:
    """Yield what the admin's history says of the award and its deliveries."""
    content = {
        model: ContentType.objects.get_by_natural_key(*model)
        for model in (("badges_plugin", "badgeaward"), ("badges_distribution", "delivery"))
    }
    own = LogEntry.objects.filter(content_type=content["badges_plugin", "badgeaward"], object_id=str(facts.award.id))
    theirs = LogEntry.objects.filter(
        content_type=content["badges_distribution", "delivery"],
        object_id__in=[str(each.id) for each in facts.deliveries],
    )
    for entry in (own | theirs).select_related("user").order_by("action_time", "pk"):
        text = _("%(person)s: %(what)s") % {
            "person": name_of(entry.user),
            "what": entry.get_change_message() or _("Changed."),
        }
        yield Step(entry.action_time, "", text.rstrip("."))
