"""The core's tables: what staff set up (templates, requirements, penalties) and what learners did (progress)."""

from .failed_events import FailedEvent
from .groups import RequirementGroup
from .progress import BadgeAward, BadgeProgress, Fulfillment, Learner, LearnerLock, RetiredLearner
from .requirements import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from .ruleset_version import RulesetVersion
from .templates import BadgeTemplate

__all__ = [
    "BadgeAward",
    "BadgePenalty",
    "BadgeProgress",
    "BadgeRequirement",
    "BadgeTemplate",
    "DataRule",
    "FailedEvent",
    "Fulfillment",
    "Learner",
    "LearnerLock",
    "PenaltyDataRule",
    "RequirementGroup",
    "RetiredLearner",
    "RulesetVersion",
]
