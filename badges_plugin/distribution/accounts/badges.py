"""A provider's part of a user credential: a row of the backend's own model for the core's credential."""

from __future__ import annotations

from django.db.models import Model

from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward


def start_badge(model: type[UserCredential], award: BadgeAward, **blank: object) -> None:
    """Make the credential of a new award a badge of ``model`` as well; one that is earned again starts anew.

    ``model`` inherits from the host's user credential, by a link that is its primary key. ``blank``: what is known
    before the provider was asked.
    """
    if model.objects.filter(pk=award.credential_id).update(**blank):
        return
    badge = model(pk=award.credential_id, **blank)
    # raw: only the model's own table is written. Otherwise Django would save the host's row again, with defaults for
    # what is not given.
    Model.save_base(badge, raw=True, force_insert=True)


def record_badge(model: type[UserCredential], award: BadgeAward, **known: object) -> None:
    """The provider has answered. An award that was followed by another no longer says how the badge stands."""
    if not award.progress.awards.filter(number__gt=award.number).exists():
        model.objects.filter(pk=award.credential_id).update(**known)
