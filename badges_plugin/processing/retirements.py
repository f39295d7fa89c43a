"""Record retirements that events report before the service knows of them; the events themselves are ignored."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import RetiredLearner
from badges_plugin.retirement import is_retired, is_said_to_be, mark_of

logger = get_logger(__name__)


def is_told(event: BadgingEvent) -> bool:
    """Return whether the event describes its learner as retired."""
    return bool(mark_of(event.learner.username, event.learner.email))


def note(event: BadgingEvent, people: Sequence[User]) -> None:
    """Record that all users of the event's learner were retired, if the event says so and is not outdated.

    Only the mark of retirement is stored. Called outside of a transaction, so the record is kept although the event is
    ignored.
    """
    if not is_told(event):
        return
    said = mark_of(event.learner.username, event.learner.email)[:255]
    # An event from the future must not outweigh the events until then.
    said_at = min(event.stamp.time, timezone.now())
    if any(_knows(user) and user.badges_learner.profile_time > said_at for user in people):
        return  # the retirement was cancelled since
    if any(is_retired(user.get_username(), user.email) for user in people):
        return  # the service knows already
    for user in people:
        if not is_said_to_be(user):
            RetiredLearner.objects.update_or_create(user=user, defaults={"said": said, "said_at": said_at})
            logger.info("Event %s says that user %s was retired.", event.stamp.id, user.pk)


def are_alive(event: BadgingEvent, people: Sequence[User]) -> bool:
    """Return whether no event described them as retired, or this one is newer and gives user name and e-mail address.

    In the latter case the retirement was cancelled, and its record is deleted.
    """
    said = [user for user in people if is_said_to_be(user)]
    if not said:
        return True
    is_whole = bool(event.learner.username and event.learner.email) and not is_told(event)
    times = [user.badges_retirement.said_at for user in said]
    if not is_whole or any(at is None or at >= event.stamp.time for at in times):
        return False
    RetiredLearner.objects.filter(pk__in=[user.pk for user in said]).delete()
    return True


def _knows(user: User) -> bool:
    return hasattr(user, "badges_learner")
