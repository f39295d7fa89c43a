"""Lock the learners of a batch, create those who are no users yet, and take over what events say of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple
from zlib import crc32

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, connection

from badges_plugin import bulk, instances, retirement, updating
from badges_plugin.data import BadgingEvent, Deferral, LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent, LearnerAppeared
from badges_plugin.host import User
from badges_plugin.models import Learner, LearnerLock
from badges_plugin.names import as_name
from badges_plugin.processing import learners
from badges_plugin.processing.found_users import FoundUser
from badges_plugin.processing.learners import Profile

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Time of the profile of a learner of whom no event has told one. Every database takes it."""


_UNCHANGED: Mapping[str, object] = {}


class Wanted(NamedTuple):
    """A learner to be locked: the newest event about them, and the user whom ``learners.find`` returned before."""

    event: BadgingEvent
    found: FoundUser | None

    @property
    def lock_number(self) -> int | None:
        """Which lock creating or identifying the user takes; None where it needs none: the host knows the id."""
        learner = self.event.learner
        if self.found is not None and (learner.lms_user_id is None or learners.has_id(self.found)):
            return None
        return (learner.lms_user_id or crc32(learner.username.casefold().encode())) % LearnerLock.COUNT


class LockedLearner(NamedTuple):
    """A learner who is locked until the end of the transaction."""

    user: User
    is_new: bool
    """Whether badges never dealt with the learner before, so that there is no progress either."""


class _Target(NamedTuple):
    """A learner who is a user."""

    user: FoundUser | User
    """A whole row if this transaction has made it, so that nobody else knows it yet."""
    changes: Mapping[str, object] = _UNCHANGED


def hold(wanted: Sequence[Wanted]) -> list[LockedLearner | IgnoredEvent]:
    """Lock learners until the end of the transaction, and take over what the events say of them.

    Returns each learner as they are now, or why they must not be changed: retired since they were looked up, say. The
    learners are different ones (see ``learners.keys_of``). The profile is as of the newest event that tells of it: an
    older one only fills in what is empty, and one that knows the learner by another user name changes nothing. The
    number of statements does not depend on the number of learners. Raises User.DoesNotExist when one was deleted
    meanwhile, and LearnerAppeared when a user name was taken at the same instant, or when two learners turn out to be
    one user: the transaction must end then.
    """
    targets = _targets(wanted)
    users = [target for target in targets if isinstance(target, _Target)]
    if len({target.user.pk for target in users}) < len(users):
        raise LearnerAppeared
    locked = _lock([target.user for target in users if isinstance(target.user, FoundUser)])
    profiles = _Profiles()
    held: list[LockedLearner | IgnoredEvent] = []
    for want, target in zip(wanted, targets, strict=True):
        if isinstance(target, IgnoredEvent):
            held.append(target)
            continue
        if isinstance(target.user, User):
            # Made by this transaction, as the event has it: it is locked, and nobody ever dealt with it.
            user, known = target.user, None
        else:
            user, known = locked[target.user.pk]
            try:
                learners.refuse_retired(user)
            except IgnoredEvent as reason:
                held.append(reason)
                continue
        profiles.take(user, known, want.event, target.changes)
        held.append(LockedLearner(user, known is None))
    profiles.save()
    return held


def hold_living(user_ids: Iterable[int]) -> dict[int, User]:
    """Lock users for what staff do to them, and make learners of those with whom badges never dealt.

    Returns them by key, without those who were retired. Raises User.DoesNotExist when one was deleted.
    """
    locked = learners.lock_all(user_ids)
    gone = retirement.retired_among(user for user, _ in locked.values())
    living = {pk: each for pk, each in locked.items() if pk not in gone}
    _write(
        [
            (pk, Profile(user.last_login or NEVER, _is_named(user)))
            for pk, (user, profile) in living.items()
            if profile is None
        ]
    )
    return {pk: user for pk, (user, _) in living.items()}


def introduction(user: User) -> Learner:
    """Return the row, not saved, with which badges know a learner of whom no event has told anything."""
    return Learner(user=user, profile_time=user.last_login or NEVER, was_named=_is_named(user))


def _lock(users: Sequence[FoundUser]) -> dict[int, tuple[User, Profile | None]]:
    """Lock users; return them as they are now, and what badges know of them, by key."""
    # In one query where it is there for all of them: locking a row that is missing would keep others from inserting
    # theirs at some isolation levels, and PostgreSQL locks no optional row.
    with_profiles = all(user.is_known for user in users) and not connection.features.has_select_for_no_key_update
    return learners.lock_all([user.pk for user in users], with_profiles=with_profiles)


def _targets(wanted: Sequence[Wanted]) -> list[_Target | IgnoredEvent]:
    """Return the learners' users, created if need be, and only one for each.

    No key keeps LMS user ids unique, so they are given one at a time, and whoever waited looks again. The locks are
    the first that the transaction takes, and a user whom the host knows by the id needs none.
    """
    unsure = [(number, want) for want in wanted if (number := want.lock_number) is not None]
    if not unsure:
        return [_Target(want.found) for want in wanted if want.found is not None]
    LearnerLock.hold(number for number, _ in unsure)
    # A name that somebody takes at this instant is found when the user is made.
    are_unknown = all(want.found is None and want.event.learner.lms_user_id is not None for _, want in unsure)
    people = learners.find_many([want.event.learner for _, want in unsure], by_ids=are_unknown)
    again = {id(want): users for (_, want), users in zip(unsure, people, strict=True)}
    targets = [_target(want, again.get(id(want))) for want in wanted]
    made = iter(_make([want.event.learner for want, target in zip(wanted, targets, strict=True) if target is None]))
    return [_Target(next(made)) if target is None else target for target in targets]


def _target(want: Wanted, again: list[FoundUser] | DeferredEvent | None) -> _Target | IgnoredEvent | None:
    """Return whom an event is about; None for somebody who must be made a user."""
    learner = want.event.learner
    if again is None:
        again = [want.found] if want.found is not None else []
    if isinstance(again, DeferredEvent):
        return again
    if again:
        user = again[0]
        is_unnamed = learner.lms_user_id is not None and not learners.has_id(user)
        return _Target(user, changes={"lms_user_id": learner.lms_user_id} if is_unnamed else {})
    if not learner.username:
        return DeferredEvent(
            f"LMS user {learner.lms_user_id} is not known here and the event has no user name",
            cause=Deferral.UNKNOWN_LEARNER,
        )
    return None


def _make(people: Sequence[LearnerData]) -> list[User]:
    # Not create_user: it normalizes the name, and the LMS's spelling would never be found again.
    columns: dict[str, list[object]] = {
        "username": [each.username for each in people],
        # As make_password(None), which takes longer.
        "password": [UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30) for _ in people],
        "email": [each.email for each in people],
        "lms_user_id": [each.lms_user_id for each in people],
        "full_name": [each.name for each in people],
        "is_active": [each.is_active for each in people],
    }
    users = instances.make(User, len(people), columns)
    in_order = sorted(users, key=attrgetter("username"))
    try:
        bulk.insert(in_order, by=["username"])
    except IntegrityError as error:
        # Another app, or a process that does not know the same id, made a user of this name at the same instant.
        raise LearnerAppeared from error
    for user in in_order:
        instances.send_saved(user, created=True)
    return users


class _Profiles:
    """What events say of learners, as far as it must be written."""

    def __init__(self) -> None:
        self._new: list[tuple[int, Profile]] = []
        self._changed: list[tuple[int, Profile]] = []
        self._users: list[tuple[User, Collection[str]]] = []

    def take(self, user: User, known: Profile | None, event: BadgingEvent, changes: Mapping[str, object]) -> None:
        """Take over what an event says; ``known`` is what badges know, ``changes`` what is decided of the user."""
        time, is_newer = _begin(user, event) if known is None else _go_on(known, event)
        news = _news(user, event.learner, is_newer=is_newer)
        if news or changes:
            changes = {**changes, **news}
            for name, value in changes.items():
                setattr(user, name, value)
            self._users.append((user, changes.keys()))
        profile = Profile(time, (known is not None and known.was_named) or _is_named(user))
        if known is None:
            self._new.append((user.pk, profile))
        elif profile != known:
            self._changed.append((user.pk, profile))

    def save(self) -> None:
        """Write it, in the order of the users' keys. No statement for what did not change."""
        _write(self._new)
        if self._changed:
            updating.update_columns(Learner, _columns(self._changed), ["profile_time", "was_named"])
        if self._users:
            names = sorted({name for _, names in self._users for name in names})
            updating.update(sorted((user for user, _ in self._users), key=attrgetter("pk")), names)
        for user, changed in self._users:
            instances.send_saved(user, created=False, update_fields=changed)


def _write(profiles: list[tuple[int, Profile]]) -> None:
    if profiles:
        bulk.insert_or_update_columns(Learner, _columns(profiles))


def _columns(profiles: list[tuple[int, Profile]]) -> bulk.Columns:
    keys, values = zip(*sorted(profiles), strict=True)
    times, named = zip(*values, strict=True)
    return {"user_id": keys, "profile_time": times, "was_named": named}


def _begin(user: User, event: BadgingEvent) -> tuple[datetime, bool]:
    """Return the time of a profile that is new to badges, and whether the event's is newer than the user's."""
    # The host takes over name and e-mail address itself at each login.
    known_until = user.last_login or (event.stamp.time if event.learner.has_profile else NEVER)
    profile_time = max(event.stamp.time, known_until) if event.learner.has_profile else known_until
    return profile_time, user.last_login is None or event.stamp.time > known_until


def _go_on(known: Profile, event: BadgingEvent) -> tuple[datetime, bool]:
    """Return the time of a profile with an event, and whether that is the newest one that tells it."""
    if event.learner.has_profile and known.profile_time < event.stamp.time:
        return event.stamp.time, True
    return known.profile_time, False


def _news(user: User, learner: LearnerData, *, is_newer: bool) -> dict[str, object]:
    """Return the user's columns that an event changes."""
    is_renamed = bool(learner.username) and learner.username.casefold() != user.username.casefold()
    if is_renamed and not is_newer:
        # Of a time when the learner had another name, here or in the LMS.
        return {}
    # Not the user name: the host keeps credentials by it, and renames all of them at once.
    said = {"email": learner.email, "full_name": learner.name, "lms_user_id": learner.lms_user_id}
    return {
        name: value
        for name, value in said.items()
        if value and getattr(user, name) != value and (not getattr(user, name) or (is_newer and name != "lms_user_id"))
    }


def _is_named(user: User) -> bool:
    return any(map(as_name, (user.full_name or "", user.first_name, user.last_name)))
