"""The core's tables: what staff set up (templates, requirements, penalties) and what learners did (progress)."""

from badges_plugin.models.configuration import RulesetVersion
from badges_plugin.models.failed_events import FailedEvent
from badges_plugin.models.fulfillments import Fulfillment
from badges_plugin.models.groups import RequirementGroup
from badges_plugin.models.progress import (
    BadgeAward,
    BadgeProgress,
    Ending,
    Learner,
    LearnerLock,
    RetiredLearner,
)
from badges_plugin.models.requirements import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from badges_plugin.models.templates import BadgeTemplate

__all__ = [
    "BadgeAward",
    "BadgePenalty",
    "BadgeProgress",
    "BadgeRequirement",
    "BadgeTemplate",
    "DataRule",
    "Ending",
    "FailedEvent",
    "Fulfillment",
    "Learner",
    "LearnerLock",
    "PenaltyDataRule",
    "RequirementGroup",
    "RetiredLearner",
    "RulesetVersion",
]
