"""Compare the database after a drill of the bus with the expected end of the story. Needs Django."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from badges_plugin import api
from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    FailedEvent,
    Fulfillment,
    PenaltyDataRule,
    RequirementGroup,
)
from badges_plugin.processing.badge_events import Kind, event_id
from sandbox.credly.remote import CredlyControl
from sandbox.demo.state import everything
from sandbox.drills.badges import CredlyBadge, add_site
from sandbox.drills.bus_history import Badge, Ending, Thing, catalog, is_swinging, name_of
from sandbox.drills.catalog import Result
from sandbox.drills.verdict import Wanted
from sandbox.lms.shapes import KINDS

Key = TypeVar("Key")
Value = TypeVar("Value")

KEY_PATHS = {"ccx-passing": "course.ccx_course_key"}
COURSE_KEY_PATH = "course.course_key"


def set_up(credly: CredlyControl) -> tuple[CredlyBadge, list[Badge]]:
    """Make the database and the badges of the catalog; the first of them is Credly's."""
    call_command("migrate", verbosity=0)
    site = add_site()
    provided = CredlyBadge(credly, "Course 0")
    badges = catalog(provided.course)
    for badge in badges[1:]:
        template = BadgeTemplate.objects.create(site=site, name=badge.name, icon="https://example.org/badge.png")
        for number, group in enumerate(badge.groups):
            if badge.needed > 1:
                _count(group, template, needed=badge.needed)
                continue
            for thing in group:
                _ask_for(thing, template, group=f"group {number}")
        api.activate_template(template)
    return provided, badges


def reconnect() -> None:
    """Drop the connection, because the server was down. The next query opens a new one."""
    connection.close()


def snapshot() -> list[object]:
    """Return every row that events and deliveries can change."""
    return [*everything(), list(FailedEvent.objects.order_by("pk").values())]


def replayed(before: Sequence[Any], after: Sequence[Any], *, late: Collection[str]) -> tuple[int, int]:
    """Compare snapshots before and after a replay of all events: tables that changed, and fulfillments set back.

    A penalty that arrives late, as those of these ids do, leaves of what was repeated since then only the newest event.
    The replay has the others, too, and may find that the fulfillment began with one of them. Nothing else is set back.
    """
    changed = set_back = 0
    for old, new in zip(before, after, strict=True):
        if old == new:
            continue
        differences = [pair for pair in itertools.zip_longest(old, new) if pair[0] != pair[1]]
        if all(_is_set_back(*pair, late) for pair in differences):
            set_back += len(differences)
        else:
            changed += 1
    return changed, set_back


def _is_set_back(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, late: Collection[str]) -> bool:
    if old is None or new is None or not {"since", "reset_time"} <= old.keys() or None in {old["since"], new["since"]}:
        return False
    # Where the times of all events are kept nothing is found.
    was_reset = bool(old["is_fulfilled"]) and old["reset_time"] is not None and str(old["reset_id"]) in late
    is_in_between = was_reset and not old["times"] and old["reset_time"] <= new["since"] < old["since"]
    return is_in_between and {**old, "since": new["since"]} == new


def compare_beginnings(expected: Ending, result: Result) -> None:
    """Compare since when fulfillments hold, which is known after a replay of all events."""
    since = {key: row.since or row.event_time for key, row in _rows().items() if row.is_fulfilled}
    wrong = _differences(expected.since, since)
    result.demand(not wrong, f"{wrong} fulfillments did not begin as in a run without faults")


def compare(expected: Ending, result: Result, *, poisoned: int) -> None:
    """Compare progress, awards, credentials and failed events, of which there must be so many."""
    fulfillments = _fulfillments()
    awards, swung = _settled(_awards())
    credentials = Counter(UserCredential.objects.values_list("username", "credential_id", "status"))
    wrong_progress = _differences(expected.fulfillments, fulfillments)
    wrong_awards = _differences(expected.awards, awards)
    lost = sum(len(held) > len(awards.get(key, [])) for key, held in expected.awards.items())
    twice = sum(len(held) > len(expected.awards.get(key, [])) for key, held in awards.items())
    held = sum(held[-1] for held in awards.values())
    result.numbers |= {
        "learners": len({learner for learner, _, _ in fulfillments}),
        "fulfillments": len(fulfillments),
        "awards": sum(map(len, awards.values())),
        "held": held,
        "lost and regained": swung,
        "wrong progress": wrong_progress,
        "lost awards": lost,
        "awarded twice": twice,
        "failed events": FailedEvent.objects.count(),
    }
    result.demand(not wrong_progress, f"{wrong_progress} fulfillments are not as in a run without faults")
    result.demand(not wrong_awards, f"{wrong_awards} learners' awards are not as in a run without faults")
    by_status = Counter(status for _, _, status in credentials.elements())
    result.demand(max(credentials.values(), default=0) <= 1, "a learner has a credential twice")
    result.demand(
        by_status == +Counter({AWARDED: held, REVOKED: len(awards) - held}), "credentials disagree with awards"
    )
    reasons = Counter(FailedEvent.objects.values_list("reason", flat=True))
    failed = reasons.total()
    result.demand(failed == poisoned, f"{failed} failed events, of {poisoned} poisonous ones: {dict(reasons)}")


def compare_public(published: Mapping[tuple[str, str], int], result: Result) -> None:
    """Check that every award and revocation was published, with one id however often, and nothing else."""
    wanted = set()
    for award in BadgeAward.objects.select_related("credential"):
        kinds = [Kind.AWARDED] if award.revoked_at is None else [Kind.AWARDED, Kind.REVOKED]
        wanted |= {(f"org.openedx.learning.badge.{kind.value}.v1", str(event_id(award, kind))) for kind in kinds}
    result.numbers |= {"public events": len(published), "sent again": sum(published.values()) - len(published)}
    result.demand(wanted <= set(published), f"{len(wanted - set(published))} public events are missing")
    result.demand(set(published) <= wanted, f"{len(set(published) - wanted)} public events tell of nothing")


def make_outbox_due() -> int:
    """As if the five minutes were over that a sender has to itself. Returns how many killed processes had left."""
    return BadgeAward.objects.filter(publish_due_at__isnull=False).update(publish_due_at=timezone.now())


def outbox_left() -> int:
    return BadgeAward.objects.filter(publish_due_at__isnull=False).count()


def wanted_at_credly(expected: Ending, badge: Badge, learners: int) -> dict[str, Wanted]:
    """Return what the learners of Credly's badge should have there, by e-mail address."""
    wanted = {}
    for learner in range(1, learners + 1):
        held = expected.awards.get((name_of(learner), badge.name), [])
        wanted[f"{name_of(learner)}@example.com"] = Wanted(awards=len(held), holds=any(held))
    return wanted


def _ask_for(thing: Thing, template: BadgeTemplate, *, group: str) -> None:
    event_type = KINDS[thing.kind].event_type
    course_rule = (KEY_PATHS.get(thing.kind, COURSE_KEY_PATH), "eq", thing.course)
    row = RequirementGroup.named(template, group)
    requirement = BadgeRequirement.objects.create(template=template, event_type=event_type, group=row)
    _add_rules(requirement, course_rule, can_be_lost=thing.can_be_lost)


def _count(things: Sequence[Thing], template: BadgeTemplate, *, needed: int) -> None:
    """Ask for different courses, of which each can be lost by itself."""
    requirement = BadgeRequirement.objects.create(
        template=template, event_type=KINDS["passing"].event_type, count=needed, counted_by=COURSE_KEY_PATH
    )
    _add_rules(requirement, (COURSE_KEY_PATH, "in", ",".join(thing.course for thing in things)), can_be_lost=True)


def _add_rules(requirement: BadgeRequirement, course_rule: tuple[str, str, str], *, can_be_lost: bool) -> None:
    """Make what is passed fulfill the requirement and, where it can be failed, what is failed reset it."""
    _rule(DataRule, course_rule, requirement=requirement)
    if not can_be_lost:
        return
    _rule(DataRule, ("is_passing", "eq", "true"), requirement=requirement)
    penalty = BadgePenalty.objects.create(template=requirement.template, event_type=requirement.event_type)
    penalty.requirements.set([requirement])
    for rule in (course_rule, ("is_passing", "eq", "false")):
        _rule(PenaltyDataRule, rule, penalty=penalty)


def _rule(model: type[DataRule | PenaltyDataRule], rule: tuple[str, str, str], **owner: Any) -> None:
    key_path, operator, value = rule
    model.objects.create(key_path=key_path, operator=operator, value=value, **owner)


def _fulfillments() -> dict[tuple[str, str, Thing], tuple[bool, str]]:
    return {key: (row.is_fulfilled, str(row.event_id)) for key, row in _rows().items()}


def _rows() -> dict[tuple[str, str, Thing], Fulfillment]:
    kinds = {kind.event_type: name for name, kind in KINDS.items()}
    courses = {
        rule.requirement_id: rule.value
        for rule in DataRule.objects.filter(key_path__in=[COURSE_KEY_PATH, *KEY_PATHS.values()])
    }
    rows = Fulfillment.objects.select_related("progress__user", "progress__template", "requirement")
    return {
        (
            row.progress.user.get_username(),
            row.progress.template.name,
            Thing(kinds[row.requirement.event_type], row.value or courses[row.requirement_id]),
        ): row
        for row in rows
    }


def _awards() -> dict[tuple[str, str], list[bool]]:
    awards: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for award in BadgeAward.objects.select_related("progress__user", "progress__template").order_by("number"):
        awards[award.user.get_username(), award.template.name].append(award.revoked_at is None)
    return awards


def _settled(awards: dict[tuple[str, str], list[bool]]) -> tuple[dict[tuple[str, str], list[bool]], int]:
    """Return the awards with one for each learner who swings, and how many of these lost the badge in between.

    That depends on the order of arrival, which is kept in a partition but not among several consumers of one stream.
    """
    settled = {key: [True] if is_swinging(key[0]) and held == [False, True] else held for key, held in awards.items()}
    return settled, sum(settled[key] != held for key, held in awards.items())


def _differences(expected: Mapping[Key, Value], found: Mapping[Key, Value]) -> int:
    """Return how many keys have different values, or are on one side only."""
    return sum(expected.get(key) != found.get(key) for key in expected.keys() | found.keys())
