"""Hand a mail to the host's mail system: to edx-ace where the host has set it up, otherwise to Django.

Both render the same templates, ``badges_web/edx_ace/<message>/email/``, where edx-ace looks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils import translation

from badges_plugin.host import has_ace
from badges_plugin.web.mails.outcomes import SENT, Outcome, Result, outcome_of
from badges_plugin.web.notes import MailReason

APP_LABEL = "badges_web"

_DJANGO_CHANNEL = "django_email"


@dataclass(frozen=True)
class Letter:
    """A mail that is ready to be sent. ``context`` is what its templates show.

    .. pii: Address and name of a learner, in memory; never logged.
    .. pii_types: email_address, name
    .. pii_retirement: retained
    """

    message: str
    address: str = field(repr=False)
    lms_user_id: int
    language: str
    from_address: str
    reply_to: tuple[str, ...]
    off_url: str = field(repr=False)
    context: Mapping[str, object] = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What lets mail programs stop the mails with one click: https://www.rfc-editor.org/rfc/rfc8058."""
        return {
            "List-Unsubscribe": f"<{self.off_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        }


def why_unreachable() -> Outcome | None:
    """Return why no mail can be sent now; None if the server answers, or others than Django send.

    Asked before a mail is claimed: so a server that is away makes no mail one of which nobody knows what became of it.
    """
    if has_ace() and getattr(settings, "ACE_CHANNEL_TRANSACTIONAL_EMAIL", "") != _DJANGO_CHANNEL:
        return None
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # also what smtplib raises
        return outcome_of(error)
    connection.close()
    return None


def send(letter: Letter) -> Outcome:
    """Send a mail, and return what became of it. Raises for mistakes in templates and settings only."""
    return _send_by_ace(letter) if has_ace() else _send_by_django(letter)


def _send_by_ace(letter: Letter) -> Outcome:
    from edx_ace import ace

    message = _ace_message(letter)
    try:
        ace.send(message)
    except OSError as error:
        return outcome_of(error)
    if message.was_sent:
        return SENT
    if message.error is not None:
        return outcome_of(message.error)
    return Outcome(Result.RETRY, MailReason.NO_WAY, is_about_server=True)


def _ace_message(letter: Letter) -> Any:
    """Return the message of a letter. Once sent, it has ``was_sent``, and ``error`` where there was one."""
    from edx_ace.message import Message
    from edx_ace.recipient import Recipient

    class Observed(Message):  # type: ignore[misc]
        """A message that knows what became of it: ``ace.send`` tells nobody but the monitoring."""

        error: BaseException | None = None
        was_sent = False

        def report(self, key: str, value: object) -> None:
            if key.endswith("_delivery_succeeded"):
                self.was_sent = True
            elif key.endswith("_error"):
                self.error = sys.exc_info()[1]
            super().report(key, value)

    # Redwood's edx-ace knows no headers.
    headers = {"headers": letter.headers} if hasattr(Message(APP_LABEL, "", None), "headers") else {}
    return Observed(
        app_label=APP_LABEL,
        name=letter.message,
        recipient=Recipient(lms_user_id=letter.lms_user_id, email_address=letter.address),
        language=letter.language,
        context=dict(letter.context),
        options={
            "transactional": True,
            "from_address": letter.from_address,
            "reply_to": list(letter.reply_to) or None,
        },
        **headers,
    )


def _send_by_django(letter: Letter) -> Outcome:
    folder = f"{APP_LABEL}/edx_ace/{letter.message}/email"
    with translation.override(letter.language):

        def part(name: str) -> str:
            return render_to_string(f"{folder}/{name}", dict(letter.context))

        mail = EmailMultiAlternatives(
            # A subject is one line.
            subject=" ".join(part("subject.txt").split()),
            body=part("body.txt"),
            from_email=letter.from_address,
            to=[letter.address],
            reply_to=list(letter.reply_to) or None,
            headers=letter.headers,
        )
        head, body = part("head.html"), part("body.html")
    html = f"<!DOCTYPE html>\n<html>\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>"
    mail.attach_alternative(html, "text/html")
    return _handed_over(mail)


def _handed_over(mail: Any) -> Outcome:
    try:
        mail.send()
    except OSError as error:  # also what smtplib raises
        return outcome_of(error)
    return SENT
