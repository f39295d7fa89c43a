"""What events say of retirements before the service knows: written down, since the events themselves are ignored."""

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
    """Whether the event describes its learner as retired."""
    return bool(mark_of(event.learner.username, event.learner.email))


def note(event: BadgingEvent, people: Sequence[User]) -> None:
    """Write down of all users of the event's learner that they were retired, if the event says so.

    Not if it is older than what is known of them. Only what marks them is kept. Written where no transaction is open,
    it stays when the event is ignored.
    """
    if not is_told(event):
        return
    said = mark_of(event.learner.username, event.learner.email)[:255]
    # An event from the future must not outlive what comes until then.
    said_at = min(event.stamp.time, timezone.now())
    if any(_knows(user) and user.badges_learner.profile_time > said_at for user in people):
        return  # a retirement that was cancelled since
    if any(is_retired(user.get_username(), user.email) for user in people):
        return  # as the service knows
    for user in people:
        if not is_said_to_be(user):
            RetiredLearner.objects.update_or_create(user=user, defaults={"said": said, "said_at": said_at})
            logger.info("By event %s, user %s was retired.", event.stamp.id, user.pk)


def are_alive(event: BadgingEvent, people: Sequence[User]) -> bool:
    """Whether no event said that they were retired, or this one is newer and knows their name and address.

    Then the retirement was cancelled, and what was said of it is deleted.
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
