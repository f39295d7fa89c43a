"""Record retirements that events report before the service knows of them; the events themselves are ignored."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from badges_plugin.data import BadgingEvent
from badges_plugin.logs import get_logger
from badges_plugin.models import RetiredLearner
from badges_plugin.processing.found_users import FoundUser
from badges_plugin.retirement import is_retired, mark_of

logger = get_logger(__name__)


def is_told(event: BadgingEvent) -> bool:
    """Return whether the event describes its learner as retired."""
    return bool(mark_of(event.learner.username, event.learner.email))


def note(event: BadgingEvent, people: Sequence[FoundUser]) -> bool:
    """Record that all users of the event's learner were retired, if the event says so and is not outdated.

    Returns whether it says so. Only the mark of retirement is stored. Called outside of a transaction, so the record is
    kept although the event is ignored.
    """
    if not is_told(event):
        return False
    _record(event, people)
    return True


def _record(event: BadgingEvent, people: Sequence[FoundUser]) -> None:
    said = mark_of(event.learner.username, event.learner.email)[:255]
    # An event from the future must not outweigh the events until then.
    said_at = min(event.stamp.time, timezone.now())
    if any(user.profile_time is not None and user.profile_time > said_at for user in people):
        return  # the retirement was cancelled since
    if any(is_retired(user.username, user.email) for user in people):
        return  # the service knows already
    for user in people:
        if not user.is_said_to_be_retired:
            RetiredLearner.objects.update_or_create(user_id=user.pk, defaults={"said": said, "said_at": said_at})
            logger.info("Event %s says that user %s was retired.", event.stamp.id, user.pk)


def are_alive(event: BadgingEvent, people: Sequence[FoundUser]) -> bool:
    """Return whether no event described them as retired, or this one is newer and gives user name and e-mail address.

    In the latter case the retirement was cancelled, and its record is deleted.
    """
    said = [user for user in people if user.is_said_to_be_retired]
    if not said:
        return True
    is_whole = bool(event.learner.username and event.learner.email) and not is_told(event)
    times = [user.said_at for user in said]
    if not is_whole or any(at is None or at >= event.stamp.time for at in times):
        return False
    RetiredLearner.objects.filter(pk__in=[user.pk for user in said]).delete()
    return True
