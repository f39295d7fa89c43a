"""Give and undo lists of awards by hand, some lines at a time, by any number of processes.

Each step is a transaction that holds its learners and writes down what became of the lines: whoever comes after an
interruption goes on where it ended, and two who come at once share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from badges_plugin.database import is_transient
from badges_plugin.exceptions import AwardRefused
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import ManualAward, ManualAwardLine, ManualAwardList
from badges_plugin.processing import manual
from badges_plugin.processing.manual import Gift, Given
from badges_plugin.processing.pipeline import with_current_ruleset
from badges_plugin.redaction import describe
from badges_plugin.ruleset import Ruleset

logger = get_logger(__name__)

Line = ManualAwardLine
State = ManualAwardList.State
Outcome = ManualAwardLine.Outcome

AT_ONCE = 100
"""Lines that share a transaction."""

DRAFTS_AT_ONCE = 100
LINES_AT_ONCE = 1000
"""What is deleted or forgotten together."""

KEEPS_DRAFTS = timedelta(days=1)
KEEPS_TEXT = timedelta(days=30)
"""How long a list says what was written on lines that mean nobody: it may be anybody's address."""

_OUTCOMES = {Given.AWARDED: Outcome.GIVEN, Given.HAS_IT: Outcome.HAS_IT, Given.GONE: Outcome.UNKNOWN}

Work = Callable[[Ruleset, ManualAwardList, Sequence[Line]], None]


def start_giving(award_list: ManualAwardList, *, by: User | None = None) -> bool:
    """Confirm a draft. Returns False when somebody has done so already.

    ``by`` is who confirms, and gives the badges from then on; None leaves that as the draft has it.
    """
    giver = {} if by is None else {"given_by": by}
    return _move(award_list, {State.DRAFT}, State.GIVING, given_at=timezone.now(), **giver)


def start_undoing(award_list: ManualAwardList, *, by: User | None, reason: str) -> bool:
    """Begin to take back what was given by a list. Returns False when somebody has done so, or nothing was given."""
    return _move(
        award_list,
        {State.GIVING, State.GIVEN},
        State.UNDOING,
        undone_by=by,
        undone_at=timezone.now(),
        undo_reason=reason,
    )


def go_on(list_id: int) -> bool:
    """Do one step of a list that is being given or undone. Returns whether there is more to do.

    Raises transient errors of the database. A line that fails for another reason is marked, and keeps nobody else.
    """
    award_list = ManualAwardList.objects.get(pk=list_id)
    if award_list.state == State.GIVING:
        wanted, work, end = Outcome.WAITING, _give, State.GIVEN
    elif award_list.state == State.UNDOING:
        award_list.lines.filter(outcome=Outcome.WAITING).update(outcome=Outcome.STOPPED)
        wanted, work, end = Outcome.GIVEN, _undo, State.UNDONE
    else:
        return False
    left = award_list.lines.filter(outcome=wanted).order_by("number")
    if lines := list(left[:AT_ONCE]):
        _do(work, award_list, lines)
    if left.exists():
        return True
    _finish(award_list, wanted, end)
    return False


def go_on_with_one(now: datetime) -> bool:
    """Do one step of the list that waits longest; return whether there is more.

    Where no list waits, as nearly always, that is one query that an index answers.
    """
    waiting = ManualAwardList.objects.filter(state__in=[State.GIVING, State.UNDOING]).order_by("pk")
    if (key := waiting.values_list("pk", flat=True).first()) is None:
        return False
    return go_on(key) or waiting.exists()


def forget_old(now: datetime) -> bool:
    """Delete old drafts, and what was written on old lines that mean nobody; return whether there is more."""
    with transaction.atomic():
        # Locked: a draft that somebody confirms at this instant is one no more, or cannot be confirmed.
        drafts = ManualAwardList.objects.select_for_update().filter(created_at__lt=now - KEEPS_DRAFTS)
        old_drafts = list(drafts.filter(state=State.DRAFT).order_by("pk").values_list("pk", flat=True)[:DRAFTS_AT_ONCE])
        ManualAwardList.objects.filter(pk__in=old_drafts).delete()
    old = Line.objects.filter(list__created_at__lt=now - KEEPS_TEXT, user=None).exclude(written="")
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:LINES_AT_ONCE])
    Line.objects.filter(pk__in=keys).update(written="")
    return len(old_drafts) == DRAFTS_AT_ONCE or len(keys) == LINES_AT_ONCE


def forget(user_id: int, award_ids: Collection[int]) -> None:
    """Erase what lists and awards by hand say of a learner with these awards. Called in the erasure's transaction."""
    lists = list(Line.objects.filter(user=user_id).order_by("pk").values_list("list", flat=True))
    Line.objects.filter(user=user_id).update(written="")
    shared = Line.objects.filter(list__in=lists).exclude(user=user_id).values_list("list", flat=True)
    # The reason of a list for one learner may name them.
    ManualAwardList.objects.filter(pk__in=set(lists) - set(shared)).update(reason="", undo_reason="")
    ManualAward.objects.filter(award__in=award_ids).update(reason="")


def _move(award_list: ManualAwardList, before: Collection[State], state: State, **changes: object) -> bool:
    """Bring a list from one state to another, unless somebody else has, or it was deleted."""
    own = ManualAwardList.objects.filter(pk=award_list.pk)
    is_moved = bool(own.filter(state__in=list(before)).update(state=state, **changes))
    if is_moved or own.exists():
        award_list.refresh_from_db()
    return is_moved


def _finish(award_list: ManualAwardList, wanted: Outcome, end: State) -> None:
    """Note that nothing is left to do. What could not be undone is still given, so that it may be undone again."""
    with transaction.atomic():
        ManualAwardList.objects.select_for_update().get(pk=award_list.pk)
        if award_list.lines.filter(outcome=wanted).exists():
            return
        if end == State.UNDONE:
            held = award_list.lines.filter(outcome=Outcome.FAILED, award__isnull=False)
            end = State.GIVEN if held.update(outcome=Outcome.GIVEN) else end
        _move(award_list, {State(award_list.state)}, end)


def _do(work: Work, award_list: ManualAwardList, lines: Sequence[Line]) -> None:
    try:
        with_current_ruleset(lambda ruleset: work(ruleset, award_list, lines))
    except AwardRefused:
        # The badge was deactivated since: as good as if none of these had been on the list.
        award_list.lines.filter(outcome=Outcome.WAITING).update(outcome=Outcome.INACTIVE)
    except Exception as error:
        if is_transient(error):
            raise
        if len(lines) > 1:
            for line in lines:
                _do(work, award_list, [line])
            return
        logger.error("Line %s of list %s failed: %s", lines[0].number, award_list.pk, describe(error))
        # Unless another process has done it meanwhile.
        Line.objects.filter(pk=lines[0].pk, outcome=lines[0].outcome).update(outcome=Outcome.FAILED)


def _give(ruleset: Ruleset, award_list: ManualAwardList, lines: Sequence[Line]) -> None:
    gift = Gift(
        award_list.template_id,
        award_list.reason,
        given_by_id=award_list.given_by_id,
        awarded_at=award_list.awarded_at,
        list_id=award_list.pk,
    )
    with transaction.atomic():
        held = manual.hold(_users(lines))
        # Read again: another process may have come before, and whoever is held here was held there.
        own = _still(lines, Outcome.WAITING)
        results = manual.give_to(ruleset, gift, {pk: held[pk] for pk in _users(own) if pk in held})
        for line in own:
            given, award = results.get(line.user_id or 0, (Given.GONE, None))
            line.outcome = _OUTCOMES[given]
            line.award = award if given is Given.AWARDED else None
        Line.objects.bulk_update(own, ["outcome", "award"])


def _undo(ruleset: Ruleset, award_list: ManualAwardList, lines: Sequence[Line]) -> None:
    with transaction.atomic():
        held = manual.lock(_users(lines))
        own = _still(lines, Outcome.GIVEN)
        undone = manual.undo_all(
            ruleset,
            {line.award_id for line in own if line.award_id is not None},
            held,
            reason=award_list.undo_reason,
            by_id=award_list.undone_by_id,
        )
        for line in own:
            line.outcome = Outcome.UNDONE if line.award_id in undone else Outcome.KEPT
        Line.objects.bulk_update(own, ["outcome"])


def _users(lines: Sequence[Line]) -> set[int]:
    return {line.user_id for line in lines if line.user_id is not None}


def _still(lines: Sequence[Line], outcome: Outcome) -> list[Line]:
    rows = Line.objects.select_for_update().filter(pk__in=[line.pk for line in lines], outcome=outcome)
    return list(rows.order_by("pk"))
