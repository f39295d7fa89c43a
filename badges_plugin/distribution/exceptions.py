"""The failures of a request to a provider. Any other exception is a bug and must show.

Two kinds, decided where the status code is known: a permanent failure needs a person, a transient one needs time. A
rejected key is a permanent failure of the account and not of the badge: it stops the account and leaves the badge
waiting.

``ambiguous`` means that the provider may have done what was asked, although no reply said so. The badge is then looked
up at the provider before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from badges_plugin.redaction import one_line, without, without_emails

_MAX_REASON_LENGTH = 1000
# Only so much is examined: redaction makes a text shorter, but hardly by more.
_MAX_READ = 20 * _MAX_REASON_LENGTH


def strip_unstorable(text: str) -> str:
    """Return the text without what databases refuse: NUL and lone surrogates, which JSON may contain."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


def redacted(text: str, *, words: Mapping[str, str] | None = None) -> str:
    """Return the text in one line, without e-mail addresses, and no longer than a person would read.

    Providers quote the learner, and others, in their messages; nothing personal is kept for audit. ``words`` maps more
    texts to remove to their replacements. Characters that databases refuse are removed too.
    """
    text = strip_unstorable(text)
    if len(text) > _MAX_READ:
        text = text[:_MAX_READ].rsplit(None, 1)[0]  # not half an e-mail address
    return one_line(without_emails(without(text, words or {}))[:_MAX_REASON_LENGTH])[:_MAX_REASON_LENGTH]


class DeliveryFailure(Exception):
    """A request that failed, with a reason for staff that contains no e-mail address (see ``reasons``).

    ``status`` and ``body`` are the provider's reply, if any.
    """

    def __init__(self, reason: str, *, ambiguous: bool = False, status: int | None = None, body: Any = None) -> None:
        self.reason = redacted(reason)
        super().__init__(self.reason)
        self.ambiguous = ambiguous
        self.status = status
        self.body = body

    def still_in_doubt(self) -> Self:
        """Return this failure of a look-up, marked as ambiguous: the question is still open."""
        self.ambiguous = True
        return self


class PermanentFailure(DeliveryFailure):
    """The same request would fail again: a person must change something first."""


class NoName(PermanentFailure):
    """The learner has no name. The badge waits until there is one, and is then issued without anybody's help."""


class InTheWay(PermanentFailure):
    """The provider has another learner's badge at this e-mail address. ``earner_id`` is theirs, if they are ours."""

    def __init__(self, reason: str, *, earner_id: str = "", status: int | None = None) -> None:
        super().__init__(reason, status=status)
        self.earner_id = earner_id


class AlreadyIssued(PermanentFailure):
    """The provider refuses a second badge for this learner and template. Its badge is looked up and adopted."""


class RejectedKey(DeliveryFailure):
    """The account's key is not accepted: all its deliveries wait until the key is changed."""


class TransientFailure(DeliveryFailure):
    """A retry may help. ``retry_after`` is the delay that the provider asked for, in seconds.

    ``throttled`` means that the provider asked this account, not only this request, to slow down.
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
    """Not sent for a reason of our own, which says nothing about the provider."""
