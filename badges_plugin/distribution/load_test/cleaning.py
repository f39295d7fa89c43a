"""Delete what a load test has made, in small steps, each of which is a transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.db.models import ProtectedError, QuerySet

from badges_plugin import api, synthetic
from badges_plugin.consumers.retrying import Retrying
from badges_plugin.database import is_transient, refresh_connections
from badges_plugin.distribution.load_test.scene import SIGNAL, SOURCE, template_in_database
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeProgress, FailedEvent

STEP = 200
_ATTEMPTS = 10


def learners() -> QuerySet[User]:
    """Return the synthetic users. By the indexed id first; nobody else has such an id and such a name."""
    marked = User.objects.filter(lms_user_id__gte=synthetic.FIRST_LMS_USER_ID)
    return marked.filter(username__startswith=synthetic.USERNAME_PREFIX).order_by("pk")


def has_leftovers() -> bool:
    """Return whether there is anything to delete."""
    return template_in_database() is not None or learners().exists()


def has_namesakes() -> bool:
    """Return whether a user who is none of ours has an LMS user id that synthetic learners have."""
    marked = User.objects.filter(lms_user_id__gte=synthetic.FIRST_LMS_USER_ID)
    return marked.exclude(username__startswith=synthetic.USERNAME_PREFIX).exists()


def clean_up(on_progress: Callable[[int], None] = lambda deleted: None) -> int:
    """Delete template, learners, progress, awards, credentials, deliveries and failed events of load tests.

    Returns the number of learners. It can be interrupted, and done again. ``on_progress`` is called with the number of
    learners deleted so far.
    """
    retrying = Retrying(
        limit=120, max_pause=5, is_transient=is_transient, refresh=refresh_connections, stop=lambda: False
    )
    run = partial(retrying.run, what="Deleting synthetic learners", while_waiting=lambda: None)
    run(_switch_off)
    deleted = 0
    for _ in range(_ATTEMPTS):
        while step := run(_delete_learners):
            deleted += step
            on_progress(deleted)
        try:
            run(_delete_template)
        except ProtectedError:
            continue  # a consumer that had begun before the template was switched off has written some more
        break
    run(_delete_failed_events)
    return deleted


def _switch_off() -> None:
    template = template_in_database()
    if template is not None and template.is_active:
        api.deactivate_template(template)


def _delete_learners() -> int:
    with transaction.atomic():
        # Locked in the order of their keys, as the consumers do.
        users = list(learners().select_for_update()[:STEP])
        keys = [user.pk for user in users]
        BadgeProgress.objects.filter(user__in=keys).delete()
        UserCredential.objects.filter(username__in=[user.get_username() for user in users]).delete()
        User.objects.filter(pk__in=keys).delete()
    return len(keys)


def _delete_template() -> None:
    template = template_in_database()
    if template is not None:
        template.delete()


def _delete_failed_events() -> None:
    rows = FailedEvent.objects.filter(event_type=SIGNAL.event_type).order_by("pk").values_list("pk", "metadata")
    ours = [pk for pk, metadata in rows.iterator() if isinstance(metadata, dict) and metadata.get("source") == SOURCE]
    for start in range(0, len(ours), STEP):
        FailedEvent.objects.filter(pk__in=ours[start : start + STEP]).delete()
