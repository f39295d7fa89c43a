"""The core's tables: what staff set up (templates, requirements, penalties) and what learners did (progress)."""

from .failed_events import FailedEvent
from .progress import BadgeAward, BadgeProgress, Fulfillment, Learner, RetiredLearner
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
    "PenaltyDataRule",
    "RetiredLearner",
    "RulesetVersion",
]
