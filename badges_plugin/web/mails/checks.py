"""Examine the mails: the Django check of their settings, and the probe of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils import timezone

from badges_plugin import doctor
from badges_plugin.conf import CHECK_TAG
from badges_plugin.doctor import Finding, Reach
from badges_plugin.sections import errors_in
from badges_plugin.web.mails.conf import mails
from badges_plugin.web.notes import MailNote, MailState

_LATE = timedelta(hours=6)
_RECENT = timedelta(days=1)


def connect() -> None:
    """Register the check with Django and the probe with ``badges_doctor``."""
    checks.register(check_mails, CHECK_TAG)
    doctor.register("mails", examine, reach=Reach.DATABASE)


def check_mails(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E002: BADGES_CONFIG["mails"] cannot be used."""
    return errors_in(mails, check_id="badges_web.E002")


def examine() -> Iterator[Finding]:
    """Check that mails are sent, and soon, and that a mail server that hangs holds nothing up."""
    kinds = mails().kinds
    if not kinds:
        yield Finding.ok("Learners get no mails.")
        return
    yield Finding.ok(f"Learners get mails of these kinds: {', '.join(sorted(kinds))}.")
    if getattr(settings, "EMAIL_TIMEOUT", None) is None:
        yield Finding.warning(
            "A mail server that does not answer would hold a worker up: EMAIL_TIMEOUT is not set.",
            "Set EMAIL_TIMEOUT, in seconds: for example, to 10.",
        )
    now = timezone.now()
    if late := MailNote.objects.filter(state=MailState.WAITING, due_at__lt=now - _LATE).count():
        yield Finding.warning(
            f"{late} mails to learners have been due for more than six hours.",
            'Is a worker running, and the mail server reachable? BADGES_CONFIG["mails"]["per_minute"] limits the pace.',
        )
    since = MailNote.objects.filter(state__in=(MailState.FAILED, MailState.UNKNOWN), settled_at__gt=now - _RECENT)
    if failed := since.count():
        yield Finding.warning(
            f"{failed} mails to learners failed within a day.", "The admin says why: Mails to learners."
        )
