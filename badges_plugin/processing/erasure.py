"""Erase the data that badges still have about a learner whom the platform has retired.

The host replaces user names with a query that sends no signal, so retired users are searched for at intervals. In the
meantime nothing is done for them: all processing asks ``badges_plugin.retirement`` first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from badges_plugin.database import is_transient
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, Correction, Learner, ManualAwardLine, RetiredLearner
from badges_plugin.models.awards import EXPLAINED
from badges_plugin.models.records import forget_users
from badges_plugin.processing import learners, manual_lists, traces
from badges_plugin.redaction import describe
from badges_plugin.retirement import is_retired, retired_people
from badges_plugin.signals import learner_retired

logger = get_logger(__name__)

BATCH = 500


def sweep(*, limit: int = BATCH) -> int:
    """Erase the data of up to ``limit`` users who were retired since the last sweep; return how many there were."""
    _take_back_the_living()
    return erase(list(_left(User.objects.filter(retired_people())).order_by("pk")[:limit]))


def erase(users: Sequence[User]) -> int:
    """Erase the data of retired users; return for how many users it was erased. Repeating it changes nothing.

    Raises transient database errors. Any other error affects only its user.
    """
    if not users:
        return 0
    known = set(Learner.objects.filter(user__in=users).values_list("pk", flat=True))
    # Lists also name those to whom nothing was given, so that badges never dealt with them.
    known.update(ManualAwardLine.objects.filter(user__in=users).values_list("user_id", flat=True).distinct())
    left = {pk for pk in sorted(known) if not _is_erased(pk)}
    traces.forget(users)
    forget_users([user.pk for user in users])
    # Marked as erased last, so that an interrupted erasure is repeated.
    done = [RetiredLearner(user=user) for user in users if user.pk not in left]
    RetiredLearner.objects.bulk_create(done, ignore_conflicts=True)
    now = timezone.now()
    RetiredLearner.objects.filter(pk__in=[row.pk for row in done], erased_at=None).update(erased_at=now)
    logger.info("The badge data of %d retired users was erased.", len(done))
    return len(done)


def _take_back_the_living() -> None:
    """Forget retirements that were cancelled, which may come again, and those recorded under other settings."""
    retired = User.objects.filter(retired_people(), pk=OuterRef("user"))
    living = list(RetiredLearner.objects.exclude(Exists(retired)).values_list("pk", flat=True)[:BATCH])
    if living:
        RetiredLearner.objects.filter(pk__in=living).delete()


def notice(user: User) -> None:
    """Erase the data of a user who was just saved, after the commit, if they were retired."""
    if is_retired(user.get_username(), user.email):
        transaction.on_commit(partial(_erase_quietly, user))


def _erase_quietly(user: User) -> None:
    try:
        same = Q(pk=user.pk) | (Q(lms_user_id=user.lms_user_id) if user.lms_user_id else Q())
        erase(list(_left(User.objects.filter(same)).order_by("pk")))
    except Exception as error:  # noqa: BLE001 - the user was saved; ``sweep`` erases the rest later
        logger.error("The badge data of retired user %s could not be erased yet: %s", user.pk, describe(error))


def _left(users: QuerySet[User]) -> QuerySet[User]:
    """Return the users whose data may not be erased yet."""
    return users.exclude(Exists(RetiredLearner.objects.filter(user=OuterRef("pk"), erased_at__isnull=False)))


def _is_erased(user_id: int) -> bool:
    try:
        _erase(user_id)
    except Exception as error:
        if is_transient(error):
            raise
        # For example, the error of a separately installed backend.
        logger.error("The badge data of retired user %s could not be erased: %s", user_id, describe(error))
        return False
    return True


def _erase(user_id: int) -> None:
    with transaction.atomic():
        user = learners.lock(user_id)
        learner_retired.send(sender=Learner, user=user)
        awards = list(BadgeAward.objects.filter(progress__user=user_id).values_list("pk", flat=True))
        # Nothing more is published about them, and text that staff wrote may name them.
        BadgeAward.objects.filter(pk__in=awards).update(publish_due_at=None)
        BadgeAward.objects.filter(pk__in=awards, ended_by__in=EXPLAINED).update(revocation_reason="")
        _forget_written(user_id, awards)
        corrected = list(Correction.objects.filter(progress__user=user_id).values_list("pk", flat=True))
        Correction.objects.filter(pk__in=corrected).update(because="")


def forget_deleted(user: User) -> None:
    """Erase what staff wrote about a user who is being deleted where no foreign key leads to the user."""
    _forget_written(user.pk, list(BadgeAward.objects.filter(progress__user=user.pk).values_list("pk", flat=True)))


def _forget_written(user_id: int, awards: Collection[int]) -> None:
    """Erase what lists and the histories of awards say of their learner."""
    manual_lists.forget(user_id, awards)
    if awards:
        kind = ContentType.objects.get_for_model(BadgeAward)
        LogEntry.objects.filter(content_type=kind, object_id__in=map(str, awards)).update(change_message="")
