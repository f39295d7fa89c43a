"""The contract of a webhook: a provider's notification is a hint to look, never a fact.

The base class owns the order of steps and the answers; a provider fills in ``secret`` and ``receive``. Nothing in a
request is trusted: ``receive`` takes ids from it, and asks the provider what has happened.
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

# Seconds. A provider that notifies of an event before the event can be fetched notifies again later than that.
_REMEMBERED = 60


class BadNotification(Exception):
    """The request is not a notification of this provider; the message says why."""


class UnknownSubject(Exception):
    """The notification is about something that is unknown here or at the provider.

    ``asked`` says whether it took a request to the provider to find out.
    """

    def __init__(self, reason: str, *, asked: bool = True) -> None:
        super().__init__(reason)
        self.asked = asked


class TooManyUnknown(Exception):
    """Too many recent notifications were about something unknown: the provider is not asked again now."""


class WebhookView(APIView):
    """Answer 200 when the notification is applied (or was before), 429 or 503 to get it again, other 4xx to refuse it.

    Limits apply to refused notifications, never to those that the provider confirms: nobody can keep the provider's
    notifications out by posting nonsense.
    """

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)
    renderer_classes: Sequence[Any] = (JSONRenderer,)
    throttle_name = "webhook"
    throttle_rate = "600/min"
    """The limit of answers to refused notifications, and of requests to the provider in vain where ``receive`` does not
    use ``look_up``. Notifications that the provider confirms, or that were applied before, are not limited."""
    unverified_rate = "20/min"
    """The limit of notifications about something unknown that ``look_up`` lets through, per account."""
    http_method_names: Sequence[str] = ("post", "options")

    @abstractmethod
    def secret(self) -> str:
        """Return the required last part of the URL; empty when the URL has no such part."""

    @abstractmethod
    def receive(self, notification: Mapping[str, Any]) -> None:
        """Act on a notification. Raises BadNotification, UnknownSubject, TooManyUnknown or a DeliveryFailure."""

    def post(self, request: Request, secret: str = "") -> Response:
        # A request without the secret is refused before it uses up any limit.
        if not self._is_secret_right():
            return _answer(status.HTTP_404_NOT_FOUND, "Not found.")
        in_vain = self.budget("in vain", self.throttle_rate)
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
        """Inside the block, ask the provider whether the subject of a notification exists.

        Anybody may post invented ids, and each would cost a request with our key. So only a few are looked up, none
        twice within a minute, and those that the provider knows do not count. Raises UnknownSubject and
        TooManyUnknown.
        """
        digest = sha256(f"{account} {subject}".encode()).hexdigest()
        unknown_key = f"badges_plugin.webhook.{self.throttle_name}.{digest}"
        if cache.get(unknown_key):
            raise UnknownSubject("The provider did not know it a moment ago.", asked=False)
        budget = self.budget(account, self.unverified_rate)
        if not budget.spend():
            raise TooManyUnknown
        try:
            yield
        except UnknownSubject:
            cache.set(unknown_key, True, _REMEMBERED)
            raise
        budget.refund()

    def budget(self, name: str, rate: str) -> Budget:
        """Return a limit of this webhook, such as "6/min", by its name."""
        return Budget(f"webhook.{self.throttle_name}.{name.replace(' ', '_')}", rate)

    def _refuse(self, code: int, error: Exception) -> Response:
        """Answer with what is wrong or, beyond the limit, only to slow down."""
        refused = self.budget("refused", self.throttle_rate)
        return _answer(code, str(error)) if refused.spend() else _too_many()

    def _is_secret_right(self) -> bool:
        return constant_time_compare(self.kwargs.get("secret", ""), self.secret())


def _read(request: Request) -> Mapping[str, Any]:
    length = request.META.get("CONTENT_LENGTH") or ""
    # Without a length nothing is read: the body could be of any size.
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
