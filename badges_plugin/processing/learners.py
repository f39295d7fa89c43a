"""The learner that an event names, as a Credentials user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection
from django.db.models import Q

from badges_plugin.data import BadgingEvent, Deferral, LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent, LearnerAppeared
from badges_plugin.host import User
from badges_plugin.models import Learner, LearnerLock
from badges_plugin.names import as_name
from badges_plugin.processing import retirements
from badges_plugin.retirement import is_retired


def find(learner: LearnerData) -> User | None:
    """Return the Credentials user of a learner, the first of ``find_all``."""
    return next(iter(find_all(learner)), None)


def find_all(learner: LearnerData) -> list[User]:
    """Return the Credentials users of a learner: by LMS user id first, by user name last. One query.

    The host does not keep LMS user ids unique: its own apps make users by name, another one for each name that a
    learner had. Of several with one id the user whom badges know comes first, then the oldest, whatever their names; so
    a learner is one user for badges whatever they are called. (An event that tells a name alone costs a second
    query: that name may be one of several.)

    Raises DeferredEvent when the user name belongs to another LMS user here: it was given to somebody else
    since, and awarding by name would award the wrong person.
    """
    condition = Q(username=learner.username) if learner.username else Q()
    if learner.lms_user_id is not None:
        condition |= Q(lms_user_id=learner.lms_user_id)
    users = _users(condition)
    if same_id := [user for user in users if has_id(user) and user.lms_user_id == learner.lms_user_id]:
        return _whom_badges_mean_first(same_id)
    if not users:
        return []
    # The collations of MySQL take "José" for "jose"; the LMS knows them as two people.
    user = next((user for user in users if user.username.casefold() == learner.username.casefold()), None)
    if user is None or (has_id(user) and learner.lms_user_id is not None):
        raise DeferredEvent(
            f"the user name of LMS user {learner.lms_user_id} belongs to another LMS user here",
            cause=Deferral.NAME_TAKEN,
        )
    same_id = _users(Q(lms_user_id=user.lms_user_id)) if has_id(user) else []
    return _whom_badges_mean_first(same_id or [user])


def has_id(user: User) -> bool:
    """Whether it is known which LMS user this is. The host also writes 0, which is how some events say "nobody"."""
    return bool(user.lms_user_id)


def _users(condition: Q) -> list[User]:
    known = User.objects.select_related("badges_learner", "badges_retirement")
    return list(known.filter(condition).order_by("pk"))


def _whom_badges_mean_first(users: Iterable[User]) -> list[User]:
    """Return a learner's users, oldest first, behind the one to whom badges belong."""
    return sorted(users, key=lambda user: (not is_known(user), user.pk))


def refuse_retired(learner: LearnerData, user: User | None) -> None:
    """Raise IgnoredEvent when the learner was retired: as the event describes them, or as ``user`` is here.

    Nothing is awarded to them, and nothing that the platform erased is filled in again.
    """
    described = [(learner.username, learner.email)]
    if user is not None:
        described.append((user.get_username(), user.email))
    if any(is_retired(username, email) for username, email in described):
        raise IgnoredEvent("its learner was retired")


def note_retirement(event: BadgingEvent) -> None:
    """Write down what an event says of its learner's retirement that is not applied. No query when it says nothing."""
    try:
        if retirements.is_told(event):
            retirements.note(event, find_all(event.learner))
    except (DeferredEvent, ImproperlyConfigured):
        # The name is somebody else's; or E001 says it, and what matches nothing is no failure.
        return


def refuse_gone(event: BadgingEvent, people: Sequence[User]) -> None:
    """Raise IgnoredEvent when the learner was retired, as whichever of the users that ``find_all`` returned.

    What an event said of that is written down here, and what an earlier one said is taken back when this one knows
    better.
    """
    retirements.note(event, people)
    refuse_retired(event.learner, None)
    for user in people:
        refuse_retired(event.learner, user)
    if not retirements.are_alive(event, people):
        raise IgnoredEvent("its learner was retired")


def is_known(user: User) -> bool:
    """Whether badges ever dealt with a user whom ``find`` returned, known from the row that was loaded with it."""
    return hasattr(user, "badges_learner")


@dataclass(frozen=True)
class FoundOrCreated:
    """A learner who is a user."""

    user: User
    """As ``find`` returned it, or as it was made."""
    is_made: bool = False
    """Whether this transaction has made it, so that nobody else knows it yet."""


def lock_number(found: User | None, event: BadgingEvent) -> int | None:
    """Return which lock ``get_or_create`` takes, or None where it needs none: the host knows the user by the id."""
    learner = event.learner
    if found is not None and (learner.lms_user_id is None or has_id(found)):
        return None
    return (learner.lms_user_id or crc32(learner.username.casefold().encode())) % LearnerLock.COUNT


def get_or_create(found: User | None, event: BadgingEvent) -> FoundOrCreated:
    """Make sure that the learner is a user, and only one; ``found`` is whom ``find`` returned.

    No key keeps LMS user ids unique, so they are given one at a time, and whoever waited looks again. The lock is
    the first that the transaction takes, and a user whom the host knows by the id needs none. Raises
    LearnerAppeared when the user name was taken at the same instant: the transaction must end then.
    """
    learner, number = event.learner, lock_number(found, event)
    if found is not None and number is None:
        return FoundOrCreated(found)
    if number is not None:
        LearnerLock.hold(number)
    user = find(learner)
    if user is None:
        return FoundOrCreated(_create(learner), is_made=True)
    if learner.lms_user_id is not None and not has_id(user):
        user.lms_user_id = learner.lms_user_id
        user.save(update_fields=["lms_user_id"])
    return FoundOrCreated(user)


@dataclass(frozen=True)
class LockedLearner:
    """A learner who is locked until the end of the transaction."""

    user: User
    is_new: bool
    """Whether badges never dealt with the learner before, so that there is no progress either."""


def lock_and_update(target: FoundOrCreated, event: BadgingEvent) -> LockedLearner:
    """Lock the learner until the end of the transaction, and take over what the event says of them.

    Returns the learner as they are now. The profile is as of the newest event: an older one only fills in what is
    empty, and one that knows the learner by another user name changes nothing. Raises User.DoesNotExist when the
    user was deleted meanwhile, and IgnoredEvent when they were retired.
    """
    # What this transaction has made is locked, and nobody ever dealt with it.
    user = target.user if target.is_made else lock(target.user.pk)
    refuse_retired(event.learner, user)
    learner = Learner.objects.filter(pk=user.pk)
    is_new = target.is_made or not (is_known(target.user) or learner.exists())
    if is_new:
        # The host takes over name and e-mail address itself at each login.
        known_until = user.last_login or event.stamp.time
        is_newer = user.last_login is None or event.stamp.time > known_until
        profile_time = max(event.stamp.time, known_until)
        Learner.objects.create(user=user, profile_time=profile_time, was_named=_is_named(user))
    else:
        news = {"profile_time": event.stamp.time, **({"was_named": True} if _is_named(user) else {})}
        is_newer = bool(learner.filter(profile_time__lt=event.stamp.time).update(**news))
    _refresh_profile(user, event.learner, is_newer)
    return LockedLearner(user, is_new)


def lock(user_id: int) -> User:
    """Wait until nobody else holds the learner, and hold it until the end of the transaction.

    The lock is on the user's own row, the first that is locked and the one that everything else refers to:
    with any other, an insert whose foreign key needs the user's row could wait the wrong way round.
    """
    # PostgreSQL: rows that refer to the user can be inserted by others meanwhile. MySQL has no such lock.
    no_key = connection.features.has_select_for_no_key_update
    return User.objects.select_for_update(no_key=no_key).get(pk=user_id)


def _create(learner: LearnerData) -> User:
    if not learner.username:
        raise DeferredEvent(
            f"LMS user {learner.lms_user_id} is not known here and the event has no user name",
            cause=Deferral.UNKNOWN_LEARNER,
        )
    try:
        # Not create_user: it normalizes the name, and the LMS's spelling would never be found again.
        return User.objects.create(
            username=learner.username,
            password=make_password(None),
            email=learner.email,
            lms_user_id=learner.lms_user_id,
            full_name=learner.name,
            is_active=learner.is_active,
        )
    except IntegrityError as error:
        # Another app, or a process that does not know the same id, made a user of this name at the same instant.
        raise LearnerAppeared from error


def _refresh_profile(user: User, learner: LearnerData, is_newer: bool) -> None:
    is_renamed = bool(learner.username) and learner.username.casefold() != user.username.casefold()
    if is_renamed and not is_newer:
        # Of a time when the learner had another name, here or in the LMS.
        return
    # Not the user name: the host keeps credentials by it, and renames all of them at once.
    said = {"email": learner.email, "full_name": learner.name, "lms_user_id": learner.lms_user_id}
    changed = {
        name: value
        for name, value in said.items()
        if value and getattr(user, name) != value and (not getattr(user, name) or (is_newer and name != "lms_user_id"))
    }
    if changed:
        for name, value in changed.items():
            setattr(user, name, value)
        user.save(update_fields=list(changed))
    if "full_name" in changed and _is_named(user):
        Learner.objects.filter(pk=user.pk).update(was_named=True)


def _is_named(user: User) -> bool:
    return any(map(as_name, (user.full_name or "", user.first_name, user.last_name)))
