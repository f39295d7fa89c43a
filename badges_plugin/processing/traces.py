"""Remove retired people from failed events.

A failed event may name several people, so it is not deleted for one of them: the person's user name, e-mail address and
name are emptied in it, and the bytes and the error, which cannot be rewritten, are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.host import User
from badges_plugin.models import FailedEvent
from badges_plugin.processing import mentions
from badges_plugin.retirement import is_retired, retired_users

BATCH = 200

IsGone = Callable[[Mapping[str, Any]], bool]


def without_retired(payload: object) -> object:
    """Return the content of an event with its retired people emptied; the same object if there are none."""
    ids = {person.get("id") for person in _people(payload)} - {None, 0}
    gone = set(User.objects.filter(retired_users(), lms_user_id__in=ids).values_list("lms_user_id", flat=True))

    def is_gone(person: Mapping[str, Any]) -> bool:
        pii = person["pii"]
        return person.get("id") in gone or is_retired(str(pii.get("username") or ""), str(pii.get("email") or ""))

    return _emptied(payload, is_gone) if any(map(is_gone, _people(payload))) else payload


def forget(users: Sequence[User]) -> int:
    """Remove these users from all failed events; return how many events were changed.

    Users are found by their LMS user id, because a retired user's former name is stored nowhere else. In events that
    were not decoded they are found by the names in decoded events and by the user's current e-mail address.
    """
    keys = list(FailedEvent.objects.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return 0
    ids = {user.lms_user_id for user in users} - {None, 0}
    known = _Words.of((user.get_username(), user.email) for user in users)
    for event in _in_batches(keys):
        known |= _Words.of(map(_said, filter(lambda person: person.get("id") in ids, _people(event.payload))))
    changed = 0
    for event in _in_batches(keys):
        if changes := _changes(event, lambda person: person.get("id") in ids or known.name(person), known):
            changed += FailedEvent.objects.filter(pk=event.pk).update(**changes)
    return changed


def forget_deleted(user: User) -> int:
    """Remove a user who is being deleted from all failed events; return how many events were changed.

    Nothing is removed while the learner has another user, as the host's own apps create one for each name: the events
    are still that learner's.
    """
    if user.lms_user_id:
        others = User.objects.filter(lms_user_id=user.lms_user_id).exclude(pk=user.pk)
        if not all(_looks_retired(*said) for said in others.values_list("username", "email")):
            return 0
    return forget([user])


@dataclass(frozen=True)
class _Words:
    """The e-mail addresses and user names of people.

    An e-mail address is searched for everywhere, as a whole: one may be the end of another. A user name may be an
    ordinary word, so in bytes it counts only before an e-mail address, as in the personal data of openedx-events.
    """

    emails: frozenset[str] = frozenset()
    usernames: frozenset[str] = frozenset()

    @classmethod
    def of(cls, said: Iterable[tuple[object, object]]) -> _Words:
        pairs = [(str(username or ""), str(email or "")) for username, email in said]
        return cls(
            frozenset(email.casefold() for _, email in pairs if "@" in email and not _looks_retired("", email)),
            frozenset(username for username, _ in pairs if username and not _looks_retired(username, "")),
        )

    def __or__(self, other: _Words) -> _Words:
        return _Words(self.emails | other.emails, self.usernames | other.usernames)

    def name(self, person: Mapping[str, Any]) -> bool:
        """Return whether a person without an id is one of them."""
        return not person.get("id") and person["pii"].get("username") in self.usernames

    def stand_in(self, text: str) -> bool:
        return any(mentions.has_email(text, email) for email in self.emails)

    def stand_in_bytes(self, raw: bytes) -> bool:
        return any(mentions.raw_has_email(raw, email) for email in self.emails) or any(
            mentions.raw_has_username(raw, username) for username in self.usernames
        )


def _looks_retired(username: str, email: str) -> bool:
    try:
        return is_retired(username, email)
    except ImproperlyConfigured:
        return False  # a deleted user is removed all the same


def _changes(event: FailedEvent, is_gone: IsGone, words: _Words) -> dict[str, Any]:
    if any(map(is_gone, _people(event.payload))):
        return {"payload": _emptied(event.payload, is_gone), "raw": None, "error": event.reason}
    if event.payload is None and (words.stand_in_bytes(bytes(event.raw or b"")) or words.stand_in(str(event.metadata))):
        # Nothing is left that could be decoded later.
        return {"raw": None, "metadata": {}, "error": event.reason, "state": FailedEvent.State.DISMISSED}
    return {"error": event.reason} if words.stand_in(event.error) else {}


def _in_batches(keys: Sequence[int]) -> Iterator[FailedEvent]:
    # Not ``iterator``: on MySQL it loads all rows into memory.
    for start in range(0, len(keys), BATCH):
        yield from FailedEvent.objects.filter(pk__in=keys[start : start + BATCH])


def _people(content: object) -> Iterator[Mapping[str, Any]]:
    """Yield the UserData of openedx-events in the content of an event: mappings with an id and ``pii``."""
    if isinstance(content, Mapping):
        if isinstance(content.get("pii"), Mapping):
            yield content
        for value in content.values():
            yield from _people(value)
    elif isinstance(content, list):
        for value in content:
            yield from _people(value)


def _said(person: Mapping[str, Any]) -> tuple[object, object]:
    return person["pii"].get("username"), person["pii"].get("email")


def _emptied(content: Any, is_gone: IsGone) -> Any:
    if isinstance(content, list):
        return [_emptied(value, is_gone) for value in content]
    if not isinstance(content, Mapping):
        return content
    kept = {name: _emptied(value, is_gone) for name, value in content.items()}
    if isinstance(content.get("pii"), Mapping) and is_gone(content):
        kept["pii"] = dict.fromkeys(content["pii"], "")
    return kept
