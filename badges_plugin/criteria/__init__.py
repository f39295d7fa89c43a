"""Whether a badge is complete, since when, and what is missing. Pure: knows no database and no Django models.

A requirement asks for a *count* of different values, or of events; a group for a number of its requirements; a
template for all of its groups, perhaps in order. What a learner did is kept in registers, one for each counted value.
A register counts when it is fulfilled, is newer than the floor that a penalty left, is newer than ``counts_from``
(what was before it went into an award that expired), and was made under rules that count.
"""

from badges_plugin.criteria.registers import (
    FLOOR,
    MAX_COUNT,
    MAX_TIMES,
    MAX_VALUES,
    Register,
    Registers,
    Way,
    bounded,
    by_requirement,
    floor_of,
    moments_of,
    reset_of,
    stamp_of,
    way_of,
)
from badges_plugin.criteria.standing import (
    Criteria,
    Criterion,
    Group,
    GroupStanding,
    Held,
    Measure,
    RulesThatCount,
    Standing,
    Tally,
)

__all__ = [
    "FLOOR",
    "MAX_COUNT",
    "MAX_TIMES",
    "MAX_VALUES",
    "Criteria",
    "Criterion",
    "Group",
    "GroupStanding",
    "Held",
    "Measure",
    "Register",
    "Registers",
    "RulesThatCount",
    "Standing",
    "Tally",
    "Way",
    "bounded",
    "by_requirement",
    "floor_of",
    "moments_of",
    "reset_of",
    "stamp_of",
    "way_of",
]
