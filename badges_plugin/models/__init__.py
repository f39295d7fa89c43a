"""The core's tables: what staff set up (templates, requirements, penalties) and what learners did (progress)."""

from badges_plugin.models.awards import DECIDED, BadgeAward, Ending
from badges_plugin.models.corrections import Correction, CorrectionKind
from badges_plugin.models.failed_events import FailedEvent
from badges_plugin.models.fulfillments import Fulfillment
from badges_plugin.models.groups import RequirementGroup
from badges_plugin.models.images import BadgeImage, ImageKind
from badges_plugin.models.manual_awards import ManualAward, ManualAwardLine, ManualAwardList
from badges_plugin.models.numbers import BadgeTotal, BadgeWeek, NumbersRound
from badges_plugin.models.progress import BadgeProgress, Learner, LearnerLock, RetiredLearner
from badges_plugin.models.requirements import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from badges_plugin.models.running import ConsumerGroup, EventCount, PartitionLag, RunningProcess
from badges_plugin.models.templates import BadgeTemplate
from badges_plugin.models.versions import RulesetChange, RulesetVersion

__all__ = [
    "DECIDED",
    "BadgeAward",
    "BadgeImage",
    "BadgePenalty",
    "BadgeProgress",
    "BadgeRequirement",
    "BadgeTemplate",
    "BadgeTotal",
    "BadgeWeek",
    "ConsumerGroup",
    "Correction",
    "CorrectionKind",
    "DataRule",
    "Ending",
    "EventCount",
    "FailedEvent",
    "Fulfillment",
    "ImageKind",
    "Learner",
    "LearnerLock",
    "ManualAward",
    "ManualAwardLine",
    "ManualAwardList",
    "NumbersRound",
    "PartitionLag",
    "PenaltyDataRule",
    "RequirementGroup",
    "RetiredLearner",
    "RulesetChange",
    "RulesetVersion",
    "RunningProcess",
]
