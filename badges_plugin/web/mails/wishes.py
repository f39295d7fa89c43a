"""What learners want: which mails, and in which language. Said on a page, or by the link in each mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from badges_plugin.host import User
from badges_plugin.web.notes import MailKind, MailPreference
from badges_plugin.web.shared import people_of


@dataclass(frozen=True, slots=True)
class Wishes:
    """The kinds of mails that a person does not want, and their language; empty where nobody knows it."""

    unwanted: frozenset[str] = frozenset()
    language: str = ""


def wishes_of(user: User) -> Wishes:
    """Return what the person wants, whichever of their users they said it as. Two queries at most."""
    rows = list(MailPreference.objects.filter(user__in=people_of(user)).order_by("pk"))
    unwanted = frozenset(kind for kind in MailKind.values for row in rows if not row.wants(kind))
    known = {code for code, _name in settings.LANGUAGES}
    languages = [row.language for row in rows if row.language in known]
    return Wishes(unwanted, languages[-1] if languages else "")


def save(user: User, wanted: Mapping[str, bool], language: str) -> None:
    """Store what a person wants of the kinds that they were asked about."""
    _store(user, {**wanted, "language": language[:16]})


def stop(user: User) -> None:
    """Send a person no more mails; what they said of their language stays."""
    _store(user, dict.fromkeys(MailKind.values, False))


def _store(user: User, values: Mapping[str, object]) -> None:
    """Store what a person said, for all of their users."""
    with transaction.atomic():
        for pk in sorted(people_of(user)):
            # Locked, as where a learner is erased: whoever comes second knows of the other.
            User.objects.select_for_update().get(pk=pk)
            MailPreference.objects.update_or_create(user_id=pk, defaults=values)
