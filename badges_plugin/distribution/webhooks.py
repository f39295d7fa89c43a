"""The contract of a webhook: a provider's notification is a hint to look, never a fact.

The base class owns the order of steps and the answers; a provider fills in ``secret`` and ``receive``. Nothing of a
request is believed: ``receive`` takes ids from it, and asks the provider what has happened.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.utils.crypto import constant_time_compare
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badges_plugin.distribution.budgets import Budget
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

MAX_NOTIFICATION_BYTES = 16_384

# Seconds. A provider that announces an event before it can be asked for it announces it again later than that.
_REMEMBERED = 60


class BadNotification(Exception):
    """The request is no notification of this provider; the message says what is wrong with it."""


class UnknownSubject(Exception):
    """The notification is about something that we, or the provider, do not know.

    ``asked`` says whether it took a request to the provider to find out.
    """

    def __init__(self, reason: str, *, asked: bool = True) -> None:
        super().__init__(reason)
        self.asked = asked


class TooManyUnknown(Exception):
    """So many notifications were about nothing lately that the provider is not asked about another one now."""


class WebhookView(APIView):
    """Answers 200 when the notification was applied (or had been), 429 or 503 to get it again, else 4xx: never again.

    Limits hold for what is refused, and never for what the provider confirms: whoever posts nonsense must not keep the
    provider from being heard.
    """

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)
    renderer_classes: Sequence[Any] = (JSONRenderer,)
    throttle_name = "webhook"
    throttle_rate = "600/min"
    """How many refused notifications are answered, and how many questions in vain are asked where ``receive`` does not
    use ``look_up``. What the provider knows, and what was applied before, is not limited."""
    unverified_rate = "20/min"
    """How many notifications about nothing ``look_up`` lets through, for each account."""
    http_method_names: Sequence[str] = ("post", "options")

    @abstractmethod
    def secret(self) -> str:
        """What the last part of the address must be; empty when the address has no such part."""

    @abstractmethod
    def receive(self, notification: Mapping[str, Any]) -> None:
        """Act on a notification. Raises BadNotification, UnknownSubject, TooManyUnknown or one of the failures."""

    def post(self, request: Request, secret: str = "") -> Response:
        # Who does not know the secret is turned away without using up what the provider's notifications need.
        if not self._is_secret_right():
            return _answer(status.HTTP_404_NOT_FOUND, "Not found.")
        in_vain = self._budget("in vain", self.throttle_rate)
        if in_vain.is_spent():
            return _too_many()
        try:
            self.receive(_read(request))
        except BadNotification as error:
            return self._refuse(status.HTTP_400_BAD_REQUEST, error)
        except TooManyUnknown:
            return _too_many()
        except UnknownSubject as error:
            if error.asked:
                in_vain.spend()
            return self._refuse(status.HTTP_404_NOT_FOUND, error)
        except DeliveryFailure as failure:
            in_vain.spend()
            logger.warning("A notification cannot be applied now: %s", failure.reason)
            return _answer(status.HTTP_503_SERVICE_UNAVAILABLE, "Try again later.")
        return _answer(status.HTTP_200_OK, "OK")

    @contextmanager
    def look_up(self, account: str, subject: str) -> Iterator[None]:
        """Ask the provider, inside the block, whether a notification of the account is about anything.

        Anybody may post ids that are made up, and each would cost a request with our key. So few of them are asked
        for, none twice within a minute, and those that the provider knows do not count. Raises UnknownSubject and
        TooManyUnknown.
        """
        digest = sha256(f"{account} {subject}".encode()).hexdigest()
        known_as_unknown = f"badges_plugin.webhook.{self.throttle_name}.{digest}"
        if cache.get(known_as_unknown):
            raise UnknownSubject("The provider did not know it a moment ago.", asked=False)
        budget = self._budget(account, self.unverified_rate)
        if not budget.spend():
            raise TooManyUnknown
        try:
            yield
        except UnknownSubject:
            cache.set(known_as_unknown, True, _REMEMBERED)
            raise
        budget.refund()

    def _budget(self, name: str, rate: str) -> Budget:
        return Budget(f"webhook.{self.throttle_name}.{name.replace(' ', '_')}", rate)

    def _refuse(self, code: int, error: Exception) -> Response:
        """Say what is wrong, or only to slow down: a refusal costs nobody else anything."""
        refused = self._budget("refused", self.throttle_rate)
        return _answer(code, str(error)) if refused.spend() else _too_many()

    def _is_secret_right(self) -> bool:
        return constant_time_compare(self.kwargs.get("secret", ""), self.secret())


def _read(request: Request) -> Mapping[str, Any]:
    length = request.META.get("CONTENT_LENGTH") or ""
    # Without a length nothing is read: the server would hand over whatever comes.
    if not re.fullmatch("[0-9]{1,9}", length) or int(length) > MAX_NOTIFICATION_BYTES:
        raise BadNotification(f"A notification has a length of at most {MAX_NOTIFICATION_BYTES} bytes.")
    try:
        notification = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadNotification("A notification is a JSON object.") from None
    if not isinstance(notification, dict):
        raise BadNotification("A notification is a JSON object.")
    return notification


def _too_many() -> Response:
    response = _answer(status.HTTP_429_TOO_MANY_REQUESTS, "Too many notifications. Try again later.")
    response["Retry-After"] = str(_REMEMBERED)
    return response


def _answer(code: int, text: str) -> Response:
    return Response({"detail": text}, status=code)
