"""What can go wrong while a provider is asked for something. Anything else that is raised is a bug and must show.

Two kinds, decided where the status code is known: a permanent failure needs a person, a transient one needs time. A
rejected key is a permanent failure of the account and not of the badge: it stops the account and leaves the badge
waiting.

``ambiguous`` says that the provider may have done what it was asked although we did not hear so. Whatever is ambiguous
is looked up at the provider before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from badges_plugin.redaction import one_line, without, without_emails

_MAX_REASON_LENGTH = 1000
# More is not looked at: what is cut out of it makes a text shorter, but hardly that much.
_MAX_READ = 20 * _MAX_REASON_LENGTH


def strip_unstorable(text: str) -> str:
    """The text without what databases refuse: NUL, and halves of characters, as JSON may hold them."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


def redacted(text: str, *, words: Mapping[str, str] | None = None) -> str:
    """The text in one line, without e-mail addresses and no longer than what a person reads.

    Providers quote the learner, and others, in their messages; what is kept for audit holds no personal data. ``words``
    maps what is to be left out as well to what stands in its place. What databases refuse goes, too.
    """
    text = strip_unstorable(text)
    if len(text) > _MAX_READ:
        text = text[:_MAX_READ].rsplit(None, 1)[0]  # not half an address
    return one_line(without_emails(without(text, words or {}))[:_MAX_REASON_LENGTH])[:_MAX_REASON_LENGTH]


class DeliveryFailure(Exception):
    """A request that did not end well, with a reason that staff can read and that names no address.

    ``status`` and ``body`` are the provider's answer, if any.
    """

    def __init__(self, reason: str, *, ambiguous: bool = False, status: int | None = None, body: Any = None) -> None:
        self.reason = redacted(reason)
        super().__init__(self.reason)
        self.ambiguous = ambiguous
        self.status = status
        self.body = body

    def still_in_doubt(self) -> Self:
        """The same failure of a look-up: it leaves open what the look-up was to settle."""
        self.ambiguous = True
        return self


class PermanentFailure(DeliveryFailure):
    """Sending the same again would fail again: someone has to change something first."""


class NoName(PermanentFailure):
    """Nothing that is known of the learner is a name. The badge waits until there is one and then goes on by itself."""


class InTheWay(PermanentFailure):
    """The provider has another learner's badge here. ``earner_id`` is that learner's, if they are one of ours."""

    def __init__(self, reason: str, *, earner_id: str = "", status: int | None = None) -> None:
        super().__init__(reason, status=status)
        self.earner_id = earner_id


class AlreadyIssued(PermanentFailure):
    """The provider refuses a second badge for this learner and template. What it has is looked up and adopted."""


class RejectedKey(DeliveryFailure):
    """The account's key is not accepted: everything of this account waits until the key is changed."""


class TransientFailure(DeliveryFailure):
    """Trying again later may help. ``retry_after`` is the provider's wish in seconds.

    ``throttled`` means that the provider asked this account, and not only this request, to slow down.
    """

    def __init__(
        self,
        reason: str,
        *,
        ambiguous: bool = False,
        retry_after: float | None = None,
        throttled: bool = False,
        status: int | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(reason, ambiguous=ambiguous, status=status, body=body)
        self.retry_after = retry_after
        self.throttled = throttled


class NotSent(TransientFailure):
    """Held back for a reason of our own, which says nothing about the provider."""
