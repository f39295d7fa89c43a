"""Awards and revocations: what follows from progress."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Ending
from badges_plugin.processing import outbox
from badges_plugin.processing.progression import ProgressChange
from badges_plugin.removal import detach
from badges_plugin.signals import badge_awarded, badge_revoked

logger = get_logger(__name__)

Place = dict[str, Any]
"""The columns of a credential that are unique together."""

REASON_LENGTH = 255
"""Characters of a reason that are kept: the size of the column."""


class Collected(enum.Enum):
    """What followed from a change of progress."""

    NOTHING = "nothing"
    AWARDED = "awarded"
    REVOKED = "revoked"


def collect(changes: Sequence[ProgressChange]) -> list[Collected]:
    """Award what is complete now and not awarded; revoke what was awarded and a penalty has broken.

    Returns what followed from each change. A badge that was revoked by hand stays revoked while the learner
    merely goes on passing: only the way from incomplete to complete awards it again. Called inside the
    transaction that holds the learner.
    """
    last_awards = _last_awards([change.progress for change in changes if not change.is_first])
    return [_collect(change, last_awards.get(change.progress.pk)) for change in changes]


def _collect(change: ProgressChange, last: BadgeAward | None) -> Collected:
    is_awarded = last is not None and last.revoked_at is None
    if change.is_complete and not is_awarded and _may_award(change, last):
        award(change, last)
        return Collected.AWARDED
    if last is not None and is_awarded and change.reset_by is not None and not change.is_complete:
        # Providers show the reason to people; the id is for whoever is asked about it.
        reason = _("The requirements are no longer fulfilled (event %s).") % change.reset_by.stamp.id
        revoke(last, reason=reason, by_hand=False, happened_at=change.reset_by.stamp.time)
        return Collected.REVOKED
    return Collected.NOTHING


def award(change: ProgressChange, last: BadgeAward | None) -> BadgeAward:
    """Award a badge: the user credential, the award and, by the internal signal, whatever must go with it."""
    progress, now = change.progress, timezone.now()
    new = BadgeAward.objects.create(
        progress=progress,
        number=last.number + 1 if last else 1,
        credential=_awarded_credential(progress, last),
        awarded_at=_after(last.revoked_at if last else None, min(change.completed_at, now)),
        recorded_at=now,
        events=[
            {"id": str(row.event_id), "type": row.event_type, "time": row.event_time.isoformat()}
            for row in change.made_by
        ],
        publish_due_at=outbox.first_due(),
    )
    badge_awarded.send(sender=BadgeTemplate, award=new)
    _log_after_commit(
        "Badge template %s awarded to user %s (award %s) by event %s.",
        progress.template_id,
        progress.user_id,
        new.number,
        change.last_event.stamp.id,
    )
    outbox.after_commit(new)
    return new


def revoke(award: BadgeAward, *, reason: str, by_hand: bool, happened_at: datetime | None = None) -> None:
    """Revoke an award that is not revoked yet. Called inside a transaction that holds the learner.

    ``by_hand``: a person or a provider decided it, not the learner's progress. ``happened_at``: now, unless an event
    told of it.
    """
    now = timezone.now()
    award.revoked_at = _after(award.awarded_at, min(happened_at or now, now))
    award.revocation_recorded_at = now
    award.revocation_reason = reason[:REASON_LENGTH]
    award.ended_by = Ending.BY_HAND if by_hand else Ending.PENALTY
    award.publish_due_at = outbox.first_due()
    award.save(
        update_fields=[
            "revoked_at", "revocation_recorded_at", "revocation_reason", "ended_by", "publish_due_at",
        ]
    )  # fmt: skip
    _set_status(award.credential, REVOKED)
    badge_revoked.send(sender=BadgeTemplate, award=award)
    _log_after_commit(
        "Badge template %s revoked from user %s (award %s): %s",
        award.progress.template_id,
        award.progress.user_id,
        award.number,
        reason,
    )
    outbox.after_commit(award)


def restore_credential(award: BadgeAward) -> bool:
    """Make the user credential say again what the last award of the badge says. Returns False when it did.

    Called inside a transaction that holds the learner.
    """
    last = award.progress.awards.order_by("-number")[0]
    return _set_right(award.credential, award.progress, AWARDED if last.revoked_at is None else REVOKED)


def _after(earlier: datetime | None, moment: datetime) -> datetime:
    """Return a moment, or the next one after ``earlier`` if that is later.

    The clocks of those who tell what happened differ, and events come late. Badges that depend on this one go by the
    times of its awards and revocations: one that is not newer than the one before would mean nothing to them.
    """
    return moment if earlier is None else max(moment, earlier + timedelta(microseconds=1))


def _last_awards(progresses: Sequence[BadgeProgress]) -> dict[int, BadgeAward]:
    """Return the newest award of each progress that has one. One query."""
    if not progresses:
        return {}
    of_pk = {progress.pk: progress for progress in progresses}
    last = {}
    for award in BadgeAward.objects.filter(progress__in=progresses).select_related("credential").order_by("number"):
        award.progress = of_pk[award.progress_id]
        last[award.progress_id] = award
    return last


def _may_award(change: ProgressChange, last: BadgeAward | None) -> bool:
    if last is None:
        return True
    return change.template.row.can_be_reawarded and not (last.revoked_by_hand and change.stayed_complete)


def _awarded_credential(progress: BadgeProgress, last: BadgeAward | None) -> UserCredential:
    """The host allows one credential per user name and template: a badge that is earned again is the same one."""
    if last is not None:
        _set_right(last.credential, progress, AWARDED)
        return last.credential
    # Not get_or_create: the learner is held, nobody else creates it meanwhile.
    place = _place_of(progress)
    _make_room(place)
    return UserCredential.objects.create(**place, status=AWARDED)


def _set_right(credential: UserCredential, progress: BadgeProgress, status: str) -> bool:
    """Make a credential say whose and what it is. Returns False when it did."""
    place = _place_of(progress)
    is_astray = any(getattr(credential, name) != value for name, value in place.items())
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


def _place_of(progress: BadgeProgress) -> Place:
    """Return what the host keeps unique: the learner's user name and the template."""
    return {
        "username": progress.user.get_username(),
        "credential_content_type_id": ContentType.objects.get_for_model(BadgeTemplate).pk,
        "credential_id": progress.template_id,
    }


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


def _set_status(credential: UserCredential, status: str) -> None:
    if credential.status != status:
        credential.status = status
        # Saved, not updated: the host listens to post_save of UserCredential.
        credential.save()


def _log_after_commit(message: str, *args: object) -> None:
    """A transaction that is undone, by a failure or because it is a rehearsal, has awarded nothing."""
    transaction.on_commit(partial(logger.info, message, *args))
