"""The worker's part: a few mails at a time, each claimed before it is sent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import F

from badges_plugin.distribution.api import RateLimiter, shared_limiter
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.web.mails import outcomes
from badges_plugin.web.mails.conf import MailsConfig, mails
from badges_plugin.web.mails.deciding import PATIENCE, Go, Later, Skip, decide
from badges_plugin.web.mails.outcomes import Outcome, Result
from badges_plugin.web.mails.sending import Letter, send, why_unreachable
from badges_plugin.web.mails.wishes import wishes_of
from badges_plugin.web.mails.writing import write
from badges_plugin.web.notes import MailNote, MailReason, MailState

logger = get_logger(__name__)

BATCH = 50
"""Mails that one step looks at."""

_SECONDS = 1.0
_LONGEST_WAIT = 0.3
_LOST_AFTER = timedelta(minutes=15)
_NO_BASE_URL_WAIT = timedelta(hours=1)
_MISTAKE_WAIT = timedelta(hours=1)

_STATES = {Result.SENT: MailState.SENT, Result.REFUSED: MailState.FAILED, Result.UNKNOWN: MailState.UNKNOWN}


def send_some(
    now: datetime, *, limiter: RateLimiter | None = None, chance: Callable[[], float] = random.random
) -> bool:
    """Send some of the mails that are due. Return whether more are. A chore: it takes about a second at most.

    A server that does not answer takes longer: EMAIL_TIMEOUT says how long.
    """
    config = mails()
    if not config.kinds:
        return False
    _give_up_lost(now)
    due = MailNote.objects.filter(state=MailState.WAITING, due_at__lte=now).order_by("due_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    if not ids:
        return False
    return _Round(now, config, limiter or shared_limiter("badges_web.mails", config.per_minute), chance).work(ids)


def _give_up_lost(now: datetime) -> None:
    """Mails of a worker that was killed: nobody knows, so nobody sends them again."""
    lost = MailNote.objects.filter(state=MailState.SENDING, due_at__lt=now - _LOST_AFTER)
    if number := lost.update(state=MailState.UNKNOWN, settled_at=now, reason=MailReason.WORKER_LOST):
        logger.warning("%d mails to learners were being sent when a worker ended. They are not sent again.", number)


class _Round:
    """One step: it keeps what is true for all of its mails."""

    def __init__(self, now: datetime, config: MailsConfig, limiter: RateLimiter, chance: Callable[[], float]) -> None:
        self._now = now
        self._config = config
        self._limiter = limiter
        self._chance = chance
        self._ends = time.monotonic() + _SECONDS
        self._has_turn = False
        self._is_reachable = False

    def work(self, ids: list[int]) -> bool:
        for pk in ids:
            if time.monotonic() > self._ends or not self._take_turn():
                return True
            if not self._is_reachable and (refusal := why_unreachable()):
                logger.warning("No mail to learners can be sent now; it is tried again: %s", refusal.reason)
                return False
            self._is_reachable = True
            if not self._handle_or_put_off(pk):
                return False
        return len(ids) == BATCH

    def _take_turn(self) -> bool:
        # A mail that is not needed uses none.
        self._has_turn = self._has_turn or self._limiter.wait(at_most=_LONGEST_WAIT)
        return self._has_turn

    def _handle_or_put_off(self, pk: int) -> bool:
        """Do the same as ``_handle``. A mail that cannot be decided on or written must not hold up the others."""
        try:
            return self._handle(pk)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - it is logged
            logger.error("The mail %s cannot be written; it is tried again: %s", pk, describe(error))
            mine = MailNote.objects.filter(pk=pk, state=MailState.WAITING)
            too_late = mine.filter(created__lt=self._now - PATIENCE)
            if not too_late.update(state=MailState.SKIPPED, reason=MailReason.TOO_LATE, settled_at=self._now):
                mine.update(due_at=self._now + _MISTAKE_WAIT)
            return True

    def _handle(self, pk: int) -> bool:
        """Send one mail, or leave it. Return whether the next one may fare better."""
        related = ("award__progress__user", "award__progress__template__site", "award__credential")
        note = MailNote.objects.filter(pk=pk, state=MailState.WAITING).select_related(*related).first()
        if note is None:
            return True
        wishes = wishes_of(note.award.user)
        decision = decide(note, note.award, wishes, self._config, self._now)
        match decision:
            case Skip(reason=reason):
                self._settle(note, MailState.WAITING, state=MailState.SKIPPED, reason=reason, settled_at=self._now)
            case Later(until=until):
                self._settle(note, MailState.WAITING, due_at=until)
            case Go():
                letter = write(note.kind, note.award, decision, wishes)
                if letter is None:
                    self._settle(note, MailState.WAITING, due_at=self._now + _NO_BASE_URL_WAIT)
                elif self._claim(note):
                    return self._send(note, letter)
        return True

    def _claim(self, note: MailNote) -> bool:
        """Make the mail this worker's. What was decided holds for the row as it was read."""
        row = MailNote.objects.filter(pk=note.pk, state=MailState.WAITING, attempts=note.attempts)
        return bool(row.update(state=MailState.SENDING, attempts=F("attempts") + 1, due_at=self._now))

    def _send(self, note: MailNote, letter: Letter) -> bool:
        self._has_turn = False
        try:
            outcome = send(letter)
        except Exception as error:  # noqa: BLE001 - a mistake in one template must not hold up the other mails
            logger.error("The mail %s cannot be made: %s", note.pk, describe(error))
            outcome = Outcome(Result.REFUSED, MailReason.REFUSED)
        self._record(note, outcome)
        return not outcome.is_about_server

    def _record(self, note: MailNote, outcome: Outcome) -> None:
        attempt = note.attempts + 1
        if outcome.result is not Result.SENT:
            logger.warning("The mail %s (%s): %s", note.pk, note.kind, outcome.reason)
        if outcome.result is Result.RETRY:
            if outcome.is_about_server or attempt < outcomes.MAX_ATTEMPTS:
                wait = outcomes.delay(attempt, chance=self._chance())
                self._settle(
                    note, MailState.SENDING, state=MailState.WAITING, due_at=self._now + wait, reason=outcome.reason
                )
                return
            outcome = Outcome(Result.REFUSED, outcome.reason)
        self._settle(
            note,
            MailState.SENDING,
            state=_STATES[outcome.result],
            reason=outcome.reason,
            settled_at=self._now,
        )

    def _settle(self, note: MailNote, before: MailState, **values: object) -> None:
        MailNote.objects.filter(pk=note.pk, state=before).update(**values)
