"""What the files of awards and of progress say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from badges_plugin import reading
from badges_plugin.admin.exporting import Export
from badges_plugin.host import User
from badges_plugin.models import BadgeProgress
from badges_plugin.reading.awards import award_of, rows


def _awards(keys: Sequence[int]) -> Iterator[tuple[User, Sequence[object]]]:
    found = rows().select_related("progress__user").in_bulk(keys)
    for key in keys:
        if key in found:
            award = award_of(found[key])
            ended = (award.ended_at, award.ending_text, award.reason)
            told = (award.template_name, award.number, award.state.value, award.awarded_at, award.expires_at, *ended)
            yield found[key].user, told


def _progress(keys: Sequence[int]) -> Iterator[tuple[User, Sequence[object]]]:
    found = BadgeProgress.objects.select_related("user").in_bulk(keys)
    facts = reading.progress_rows(list(found))
    for key in keys:
        if key in facts:
            each = facts[key]
            missing = reading.join_sentences(group.sentence for group in each.groups if not group.is_fulfilled)
            yield found[key].user, (each.template_name, each.state.value, each.done, len(each.groups), missing)


AWARDS = Export(
    "awards",
    ("badge", "award", "state", "awarded_at", "expires_at", "ended_at", "ending", "reason"),
    _awards,
)
PROGRESS = Export("progress", ("badge", "state", "done", "of", "missing"), _progress)
