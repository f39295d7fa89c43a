"""Find the Credentials users of the learners that events are about."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Q, QuerySet

from badges_plugin.data import BadgingEvent, Deferral, LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.host import User
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
        raise _name_is_taken(learner)
    same_id = _users(Q(lms_user_id=user.lms_user_id)) if has_id(user) else []
    return _whom_badges_mean_first(same_id or [user])


def find_many(people: Sequence[LearnerData]) -> list[list[User] | DeferredEvent]:
    """Return for each learner what ``find_all`` returns or raises. One query, as a rule, for any number of learners.

    A learner who is not found by id or exact name, while a similar name is here, costs one more: only the database
    knows which names it takes for the same.
    """
    if len(people) == 1:
        return [_found(people[0])]
    names = {learner.username for learner in people} - {""}
    ids = {learner.lms_user_id for learner in people} - {None}
    users = _users(Q(username__in=names) | Q(lms_user_id__in=ids)) if names or ids else []
    by_name = {user.username: user for user in users}
    by_id: dict[int | None, list[User]] = defaultdict(list)
    for user in users:
        if has_id(user):
            by_id[user.lms_user_id].append(user)
    # Names that were found under another spelling.
    similar = {_folded(user.username) for user in users}
    is_strange = any(user.username not in names and user.lms_user_id not in ids for user in users)
    found: list[list[User] | DeferredEvent] = []
    for learner in people:
        named = by_name.get(learner.username)
        if learner.lms_user_id is not None and by_id.get(learner.lms_user_id):
            found.append(_whom_badges_mean_first(by_id[learner.lms_user_id]))
        elif named is not None and has_id(named):
            found.append(_found(learner) if learner.lms_user_id is None else _name_is_taken(learner))
        elif named is not None:
            found.append([named])
        elif is_strange or _folded(learner.username) in similar:
            found.append(_found(learner))
        else:
            found.append([])
    return found


def _found(learner: LearnerData) -> list[User] | DeferredEvent:
    try:
        return find_all(learner)
    except DeferredEvent as reason:
        return reason


def _name_is_taken(learner: LearnerData) -> DeferredEvent:
    return DeferredEvent(
        f"the user name of LMS user {learner.lms_user_id} belongs to another LMS user here",
        cause=Deferral.NAME_TAKEN,
    )


def _folded(name: str) -> str:
    """Return a name without case and accents, as the collations of MySQL compare it."""
    if name.isascii():  # nearly all, at a fraction of the time
        return name.casefold().strip()
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip()


def keys_of(learner: LearnerData) -> frozenset[object]:
    """Return what learners must not share to be looked up, created and changed together."""
    keys: set[object] = {_folded(learner.username)} if learner.username else set()
    return frozenset(keys | ({learner.lms_user_id} if learner.lms_user_id is not None else set()))


def has_id(user: User) -> bool:
    """Whether it is known which LMS user this is. The host also writes 0, which is how some events say "nobody"."""
    return bool(user.lms_user_id)


def _users(condition: Q) -> list[User]:
    known = User.objects.select_related("badges_learner", "badges_retirement").only(*_LOOKED_AT)
    return list(known.filter(condition).order_by("pk"))


_LOOKED_AT = (
    "username", "email", "lms_user_id",
    "badges_learner__profile_time", "badges_retirement__said", "badges_retirement__said_at",
)  # fmt: skip
"""The columns by which learners are told apart. Whoever changes one locks and reads the whole row."""


def _whom_badges_mean_first(users: Iterable[User]) -> list[User]:
    """Return a learner's users, oldest first, after the one to whom badges belong."""
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
    """Store that an event, which is not applied, describes its learner as retired. No query when it does not."""
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
    """Whether an event was applied to a user whom ``find`` returned before. No query."""
    return hasattr(user, "badges_learner")


def lock(user_id: int) -> User:
    """Lock the learner until the end of the transaction, waiting for whoever has the lock.

    The lock is on the user's own row, the first that is locked and the one that everything else refers to:
    with any other, an insert whose foreign key needs the user's row could wait the wrong way round.
    """
    return _locked().get(pk=user_id)


def lock_all(user_ids: Iterable[int], *, with_learners: bool = False) -> dict[int, User]:
    """Lock learners as ``lock`` does, in the order of their keys, so that two batches do not wait for each other.

    ``with_learners`` locks and selects the rows in ``badges_learner`` as well. Raises User.DoesNotExist when a user was
    deleted. One query, none without learners.
    """
    keys = sorted(set(user_ids))
    rows = _locked().select_related("badges_learner") if with_learners else _locked()
    users = {user.pk: user for user in rows.filter(pk__in=keys).order_by("pk")} if keys else {}
    if len(users) < len(keys):
        raise User.DoesNotExist
    return users


def _locked() -> QuerySet[User]:
    # PostgreSQL: rows that refer to the user can be inserted by others meanwhile. MySQL has no such lock.
    return User.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update)
