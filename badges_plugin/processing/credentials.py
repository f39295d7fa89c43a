"""The host's user credentials of badges: one per learner and template, which says whether the badge is valid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from badges_plugin import bulk, instances
from badges_plugin.exceptions import about
from badges_plugin.host import AWARDED, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.questions import Question
from badges_plugin.removal import detach

Place = dict[str, Any]
"""The columns of a credential that are unique together."""


def awarded(wanted: Sequence[tuple[BadgeProgress, BadgeAward | None]]) -> list[UserCredential]:
    """Return the valid credential of each badge, given its last award: the one that it had, or a new one.

    The host allows one credential per user name and template: a badge that is earned again is the same one. A fixed
    number of statements, unless a credential is not where it belongs. Called inside the transaction that holds the
    learners, so nobody else makes their credentials meanwhile.
    """
    new = _new([progress for progress, last in wanted if last is None])
    again = [(last.credential, progress) for progress, last in wanted if last is not None]
    is_moved = _insert(new)
    if is_moved or any(_is_astray(credential, _place_of(progress)) for credential, progress in again):
        for credential, progress in again:
            credential.refresh_from_db()  # the one before may have moved this one
            set_right(credential, progress, AWARDED)
    else:
        set_status([credential for credential, _ in again], AWARDED)
    _tell_host(new, created=True)
    unused = iter(new)
    return [next(unused) if last is None else last.credential for _, last in wanted]


def _insert(new: Sequence[UserCredential]) -> bool:
    """Insert credentials, and clear their places if anything is in the way. Returns whether anything was.

    Seldom is: to look first would take as long as to insert.
    """
    # MySQL and MariaDB undo a statement that fails, and this is one; elsewhere the transaction would be over.
    savepoint = nullcontext() if connection.vendor == "mysql" else transaction.atomic()
    try:
        with savepoint:
            bulk.insert(new, by=("uuid",))
    except IntegrityError:
        if not make_room_for(new):
            raise
        bulk.insert(new, by=("uuid",))
        return True
    return False


def _new(progresses: Sequence[BadgeProgress]) -> list[UserCredential]:
    count = len(progresses)
    columns: dict[str, list[object]] = {
        "username": [progress.user.get_username() for progress in progresses],
        "credential_content_type_id": [_type_id()] * count,
        "credential_id": [progress.template_id for progress in progresses],
        "status": [AWARDED] * count,
    }
    return instances.make(UserCredential, count, columns)


def set_status(credentials: Iterable[UserCredential], status: str) -> None:
    """Give credentials a status; those that have it stay as they are. One statement."""
    changed = [credential for credential in credentials if credential.status != status]
    if not changed:
        return
    now = timezone.now()
    UserCredential.objects.filter(pk__in=[each.pk for each in changed]).update(status=status, modified=now)
    for credential in changed:
        credential.status, credential.modified = status, now
    _tell_host(changed, created=False)


def set_right(credential: UserCredential, progress: BadgeProgress, status: str) -> bool:
    """Make a credential say whose and what it is. Returns False when it did."""
    place = _place_of(progress)
    is_astray = _is_astray(credential, place)
    if not is_astray and credential.status == status:
        return False
    if is_astray:
        # Out of the way first: what stands in its place may belong where it is itself.
        _park(credential)
        _make_room(place)
        _move(credential, place)
    credential.status = status
    # Saved, not updated: the host listens to post_save of UserCredential.
    credential.save()
    return True


def _tell_host(credentials: Iterable[UserCredential], *, created: bool) -> None:
    """Send what Django sends for each row that is saved: the host listens to post_save of UserCredential."""
    for credential in credentials:
        with about(credential.username):
            instances.send_saved(credential, created=created)


def _place_of(progress: BadgeProgress) -> Place:
    """Return what the host keeps unique: the learner's user name and the template."""
    return {
        "username": progress.user.get_username(),
        "credential_content_type_id": _type_id(),
        "credential_id": progress.template_id,
    }


def _type_id() -> int:
    return ContentType.objects.get_for_model(BadgeTemplate).pk


def _is_astray(credential: UserCredential, place: Place) -> bool:
    return any(getattr(credential, name) != value for name, value in place.items())


_NEAR = Question(
    lambda types, names, template_ids: UserCredential.objects.filter(
        credential_content_type__in=types, username__in=names, credential_id__in=template_ids
    ).values_list("username", "credential_id")
)


def make_room_for(new: Sequence[UserCredential]) -> bool:
    """Clear the places of credentials that are about to be inserted. Returns whether anything was in the way.

    One query for all of them when nothing is.
    """
    if not new:
        return False
    names = {credential.username for credential in new}
    taken = set(
        _NEAR.ask(
            [new[0].credential_content_type_id], sorted(names), sorted({credential.credential_id for credential in new})
        )
    )
    # A database may take another spelling for the same name: then any of the template may be meant.
    blurred = {template_id for name, template_id in taken if name not in names}
    blocked = [
        credential
        for credential in new
        if credential.credential_id in blurred or (credential.username, credential.credential_id) in taken
    ]
    for credential in blocked:
        _make_room(
            {
                "username": credential.username,
                "credential_content_type_id": credential.credential_content_type_id,
                "credential_id": credential.credential_id,
            }
        )
    return bool(blocked)


def _make_room(place: Place) -> None:
    """Give a credential in somebody else's place back to its owner, or detach it; then do the same where it goes.

    It is of another learner who had the name before: the host renames credentials where it renames a user itself, and
    not where staff do so on the user's page, perhaps of several users who took each other's names. Or its template was
    changed by other code. Or it is of a user who was deleted, or of a template that had the key before.
    """
    taken, moving = [place], []
    while (credential := UserCredential.objects.filter(**place).first()) is not None:
        award = BadgeAward.objects.filter(credential=credential).select_related("progress__user").first()
        place = _place_of(award.progress) if award is not None else place
        if place in taken:
            detach(credential)
            break
        _park(credential)
        taken.append(place)
        moving.append((credential, place))
    for credential, place in moving:
        _move(credential, place)
        credential.save()


def _park(credential: UserCredential) -> None:
    """Take a credential away from its place for a moment; whoever does so saves it again."""
    own_type = ContentType.objects.get_for_model(UserCredential)
    # Updated, not saved: nothing has become of it yet that the host would want to know.
    UserCredential.objects.filter(pk=credential.pk).update(
        credential_content_type=own_type, credential_id=credential.pk
    )


def _move(credential: UserCredential, place: Place) -> None:
    for name, value in place.items():
        setattr(credential, name, value)
