"""The read side: what badges ask for, how far learners are, and who holds what.

Frozen data, without permissions: whoever asks decides who may see it. Each function says how many queries it makes,
for any number of rows. ``__all__`` is the promise; everything below this package is free to change.
"""

from badges_plugin.reading.asking import (
    Condition,
    CriteriaText,
    GroupText,
    PenaltyText,
    RequirementText,
    criteria,
    key_sentence,
    plain_sentence,
    sentences,
)
from badges_plugin.reading.awards import (
    Award,
    AwardState,
    ByHand,
    Holder,
    Page,
    awards_of_learners,
    awards_of_progress,
    holders,
)
from badges_plugin.reading.changes import Change, DeletedBadge, Edit, History, deleted_badges, history_of
from badges_plugin.reading.corrections import Corrected, corrections, outlook
from badges_plugin.reading.funnel import Funnel, Pace, funnel
from badges_plugin.reading.lists import (
    AwardFilter,
    AwardList,
    KeyList,
    active_badges,
    learners_called,
    list_awards,
    on_the_way,
)
from badges_plugin.reading.nearly import nearly_there
from badges_plugin.reading.numbers import BadgeNumbers, Numbers, Span, numbers, week_by_week
from badges_plugin.reading.progress import progress, progress_rows
from badges_plugin.reading.shelf import Shelf, awards, shelf, standings
from badges_plugin.reading.standing import BadgeState, GroupProgress, LastEvent, LearnerProgress, RequirementProgress
from badges_plugin.reading.to_check import to_check
from badges_plugin.reading.words import KIND_LABELS, event_label, join_sentences, moment, rule_sentence, rules_sentence

__all__ = [
    "KIND_LABELS",
    "Award",
    "AwardFilter",
    "AwardList",
    "AwardState",
    "BadgeNumbers",
    "BadgeState",
    "ByHand",
    "Change",
    "Condition",
    "Corrected",
    "CriteriaText",
    "DeletedBadge",
    "Edit",
    "Funnel",
    "GroupProgress",
    "GroupText",
    "History",
    "Holder",
    "KeyList",
    "LastEvent",
    "LearnerProgress",
    "Numbers",
    "Pace",
    "Page",
    "PenaltyText",
    "RequirementProgress",
    "RequirementText",
    "Shelf",
    "Span",
    "active_badges",
    "awards",
    "awards_of_learners",
    "awards_of_progress",
    "corrections",
    "criteria",
    "deleted_badges",
    "event_label",
    "funnel",
    "history_of",
    "holders",
    "join_sentences",
    "key_sentence",
    "learners_called",
    "list_awards",
    "moment",
    "nearly_there",
    "numbers",
    "on_the_way",
    "outlook",
    "plain_sentence",
    "progress",
    "progress_rows",
    "rule_sentence",
    "rules_sentence",
    "sentences",
    "shelf",
    "standings",
    "to_check",
    "week_by_week",
]
