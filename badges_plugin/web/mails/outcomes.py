"""Decide what follows from the outcome of sending one mail. Pure: time and chance are arguments."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from badges_plugin.web.notes import MailReason

_FIRST_SECONDS = 60.0
_FACTOR = 3.0
_LONGEST_SECONDS = 6 * 3600.0
_JITTER = 0.25
MAX_ATTEMPTS = 8
"""With the delays above, the last one is more than a day after the first."""


class Result(StrEnum):
    """What is known after an attempt."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. ``is_about_server``: the next mail would fare no better."""

    result: Result
    reason: str = ""
    is_about_server: bool = False


SENT = Outcome(Result.SENT)


def outcome_of(error: BaseException) -> Outcome:
    """Return what an error of the mail system means. An error after which nobody knows is never a reason to send again.

    The codes: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
    """
    cause = next((each for each in _chain(error) if isinstance(each, OSError)), error)
    match cause:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            codes = [code for code, _message in recipients.values()]
            is_final = bool(codes) and all(code >= 500 for code in codes)
            return (
                Outcome(Result.REFUSED, MailReason.BROKEN_ADDRESS)
                if is_final
                else Outcome(Result.RETRY, MailReason.NOT_TAKEN)
            )
        case smtplib.SMTPDataError(smtp_code=code):
            return (
                Outcome(Result.REFUSED, MailReason.REFUSED)
                if code >= 500
                else Outcome(Result.RETRY, MailReason.NOT_TAKEN)
            )
        case smtplib.SMTPResponseException() | smtplib.SMTPNotSupportedError():
            # The sender or the login was refused, or the server is closing: nothing of it is about this mail.
            return Outcome(Result.RETRY, MailReason.NOT_TAKEN, is_about_server=True)
        case ConnectionRefusedError():
            return Outcome(Result.RETRY, MailReason.NOT_TAKEN, is_about_server=True)
        case OSError():
            # Lost, or too slow: the server may have taken the mail. That it can be reached was tried just before.
            return Outcome(Result.UNKNOWN, MailReason.LOST, is_about_server=True)
    return Outcome(Result.REFUSED, MailReason.REFUSED)


def delay(attempt: int, *, chance: float) -> timedelta:
    """Return the time until the next attempt after the one with this number (from 1); ``chance`` is in [0, 1)."""
    # The exponent is bounded: a server may be away for thousands of attempts, and a float would overflow.
    seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * _FACTOR ** min(attempt - 1, MAX_ATTEMPTS))
    return timedelta(seconds=seconds * (1 + _JITTER * (2 * chance - 1)))


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and what caused it: edx-ace raises one of its own."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
