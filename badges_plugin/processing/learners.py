"""Find the Credentials users of the learners that events are about."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

from badges_plugin.data import BadgingEvent, Deferral, LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.host import User
from badges_plugin.models import Learner
from badges_plugin.processing import retirements
from badges_plugin.processing.found_users import FoundUser, by_id_or_name
from badges_plugin.questions import Question
from badges_plugin.retirement import is_retired


def find(learner: LearnerData) -> FoundUser | None:
    """Return the Credentials user of a learner, the first of ``find_all``."""
    return next(iter(find_all(learner)), None)


def find_all(learner: LearnerData) -> list[FoundUser]:
    """Return the Credentials users of a learner: by LMS user id first, by user name last. One query.

    The host does not keep LMS user ids unique: its own apps make users by name, another one for each name that a
    learner had. Of several with one id the user whom badges know comes first, then the oldest, whatever their names; so
    a learner is one user for badges whatever they are called. (An event that tells a name alone costs a second
    query: that name may be one of several.)

    Raises DeferredEvent when the user name belongs to another LMS user here: it was given to somebody else
    since, and awarding by name would award the wrong person.
    """
    ids = [] if learner.lms_user_id is None else [learner.lms_user_id]
    users = by_id_or_name(ids, [learner.username] if learner.username else [])
    if same_id := [user for user in users if has_id(user) and user.lms_user_id == learner.lms_user_id]:
        return whom_badges_mean_first(same_id)
    if not users:
        return []
    # The collations of MySQL take "José" for "jose"; the LMS knows them as two people.
    user = next((user for user in users if user.username.casefold() == learner.username.casefold()), None)
    if user is None or (has_id(user) and learner.lms_user_id is not None):
        raise _name_is_taken(learner)
    same_id = by_id_or_name([user.lms_user_id], []) if user.lms_user_id else []
    return whom_badges_mean_first(same_id or [user])


def find_many(people: Sequence[LearnerData], *, by_ids: bool = False) -> list[list[FoundUser] | DeferredEvent]:
    """Return for each learner what ``find_all`` returns or raises. One query where all are found by their ids.

    Another one finds the others by their names, for any number of learners. A learner who is not found by id or exact
    name, while a similar name is here, costs one more: only the database knows which names it takes for the same.

    ``by_ids`` leaves names out, where nobody had them a moment ago: whoever makes a user hears it if that is over.
    """
    if len(people) == 1:
        return [_found(people[0])]
    ids = {learner.lms_user_id for learner in people if learner.lms_user_id is not None}
    # For both at once, MySQL reads two indexes and sorts what it found.
    users = by_id_or_name(ids, [])
    found_ids = {user.lms_user_id for user in users if has_id(user)}
    unknown = [] if by_ids else [each for each in people if each.lms_user_id not in found_ids]
    names = {each.username for each in unknown if each.username}
    others = by_id_or_name([], names)
    users = list({user.pk: user for user in [*users, *others]}.values())
    by_name = {user.username: user for user in users}
    by_id: dict[int | None, list[FoundUser]] = defaultdict(list)
    for user in users:
        if has_id(user):
            by_id[user.lms_user_id].append(user)
    # Names that were found under another spelling.
    similar = {_folded(user.username) for user in users}
    is_strange = any(user.username not in names and user.lms_user_id not in ids for user in users)
    found: list[list[FoundUser] | DeferredEvent] = []
    for learner in people:
        named = by_name.get(learner.username)
        if learner.lms_user_id is not None and by_id.get(learner.lms_user_id):
            found.append(whom_badges_mean_first(by_id[learner.lms_user_id]))
        elif named is not None and has_id(named):
            found.append(_found(learner) if learner.lms_user_id is None else _name_is_taken(learner))
        elif named is not None:
            found.append([named])
        elif is_strange or _folded(learner.username) in similar:
            found.append(_found(learner))
        else:
            found.append([])
    return found


def _found(learner: LearnerData) -> list[FoundUser] | DeferredEvent:
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


def has_id(user: FoundUser | User) -> bool:
    """Whether it is known which LMS user this is. The host also writes 0, which is how some events say "nobody"."""
    return bool(user.lms_user_id)


def whom_badges_mean_first(users: list[FoundUser]) -> list[FoundUser]:
    """Return a learner's users, oldest first, after the one to whom badges belong."""
    return users if len(users) < 2 else sorted(users, key=lambda user: (not user.is_known, user.pk))


def refuse_retired(person: LearnerData | FoundUser | User) -> None:
    """Raise IgnoredEvent when somebody was retired: a learner as an event describes them, or a user.

    Nothing is awarded to them, and nothing that the platform erased is filled in again.
    """
    if is_retired(person.username, person.email):
        raise IgnoredEvent("its learner was retired")


def note_retirement(event: BadgingEvent) -> None:
    """Store that an event, which is not applied, describes its learner as retired. No query when it does not."""
    try:
        if retirements.is_told(event):
            retirements.note(event, find_all(event.learner))
    except (DeferredEvent, ImproperlyConfigured):
        # The name is somebody else's; or E001 says it, and what matches nothing is no failure.
        return


def refuse_gone(event: BadgingEvent, people: Sequence[FoundUser]) -> None:
    """Raise IgnoredEvent when the learner was retired, as whichever of the users that ``find_all`` returned.

    What an event said of that is written down here, and what an earlier one said is taken back when this one knows
    better.
    """
    said = event.learner
    otherwise = [user for user in people if (user.username, user.email) != (said.username, said.email)]
    if (
        retirements.note(event, people)
        or any(is_retired(user.username, user.email) for user in otherwise)
        or not retirements.are_alive(event, people)
    ):
        raise IgnoredEvent("its learner was retired")


class Profile(NamedTuple):
    """What badges know of a learner."""

    profile_time: datetime
    was_named: bool


def lock(user_id: int) -> User:
    """Lock the learner until the end of the transaction, waiting for whoever has the lock.

    The lock is on the user's own row, the first that is locked and the one that everything else refers to:
    with any other, an insert whose foreign key needs the user's row could wait the wrong way round.
    """
    return _locked().get(pk=user_id)


def lock_all(user_ids: Iterable[int], *, with_profiles: bool = False) -> dict[int, tuple[User, Profile | None]]:
    """Lock learners as ``lock`` does, in the order of their keys, so that two batches do not wait for each other.

    ``with_profiles`` locks and selects the rows in ``badges_learner`` as well; otherwise they are read afterwards.
    Raises User.DoesNotExist when a user was deleted. One query, or two; none without learners.
    """
    keys = sorted(set(user_ids))
    rows = (_LOCKED_WITH_PROFILES if with_profiles else _LOCKED).ask(keys) if keys else ()
    if len(rows) < len(keys):
        raise User.DoesNotExist
    users = [User.from_db(DEFAULT_DB_ALIAS, _COLUMNS, values[: len(_COLUMNS)]) for values in rows]
    told = rows if with_profiles else (_PROFILES.ask(keys) if keys else ())
    profiles = {pk: Profile(time, was_named) for *_, pk, time, was_named in told if pk is not None}
    return {user.pk: (user, profiles.get(user.pk)) for user in users}


def _locked() -> QuerySet[User]:
    # PostgreSQL: rows that refer to the user can be inserted by others meanwhile. MySQL has no such lock.
    return User.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update)


_COLUMNS = tuple(field.attname for field in User._meta.concrete_fields)
_PROFILE = ("user_id", "profile_time", "was_named")
_LOCKED = Question(lambda keys: _locked().filter(pk__in=keys).order_by("pk").values_list(*_COLUMNS))
_LOCKED_WITH_PROFILES = Question(
    lambda keys: (
        _locked()
        .filter(pk__in=keys)
        .order_by("pk")
        .values_list(*_COLUMNS, *(f"badges_learner__{name}" for name in _PROFILE))
    )
)
_PROFILES = Question(lambda keys: Learner.objects.filter(pk__in=keys).values_list(*_PROFILE))
