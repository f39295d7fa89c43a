"""The contract of a webhook: a provider's notification is a hint to look, never a fact.

The base class owns the order of steps and the answers; a provider fills in `secret` and `receive`. Nothing of a
request is believed: `receive` takes ids from it, and asks the provider what has happened.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.crypto import constant_time_compare
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle
from rest_framework.views import APIView

from badges_plugin.distribution.failures import DeliveryFailure
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

LARGEST_NOTIFICATION = 16_384


class BadNotification(Exception):
    """The request is no notification of this provider; the message says what is wrong with it."""


class UnknownSubject(Exception):
    """The notification is about something that we, or the provider, do not know."""


class WebhookThrottle(SimpleRateThrottle):
    """One limit for the whole endpoint: a notification may cost a request with our key, and addresses can be forged.

    Who is turned away gets 429, upon which providers send again later.
    """

    def __init__(self, name: str, rate: str) -> None:
        self.scope = name
        self.rate = rate
        super().__init__()

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"badges_plugin.webhook.{self.scope}"


class WebhookView(APIView):
    """Answers 200 when the notification was applied (or had been), 4xx when it never will be, 503 to get it again."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)
    renderer_classes: Sequence[Any] = (JSONRenderer,)
    throttle_name = "webhook"
    throttle_rate = "600/min"
    http_method_names: Sequence[str] = ("post", "options")

    @abstractmethod
    def secret(self) -> str:
        """What the last part of the address must be; empty when the address has no such part."""

    @abstractmethod
    def receive(self, notification: Mapping[str, Any]) -> None:
        """Act on a notification. Raises BadNotification, UnknownSubject or one of the failures."""

    def get_throttles(self) -> list[BaseThrottle]:
        # Who does not know the secret is turned away without using up what the provider's notifications need.
        return [WebhookThrottle(self.throttle_name, self.throttle_rate)] if self._is_secret_right() else []

    def post(self, request: Request, secret: str = "") -> Response:
        if not self._is_secret_right():
            return _answer(status.HTTP_404_NOT_FOUND, "Not found.")
        try:
            self.receive(_read(request))
        except BadNotification as error:
            return _answer(status.HTTP_400_BAD_REQUEST, str(error))
        except UnknownSubject as error:
            return _answer(status.HTTP_404_NOT_FOUND, str(error))
        except DeliveryFailure as failure:
            logger.warning("A notification cannot be applied now: %s", failure.reason)
            return _answer(status.HTTP_503_SERVICE_UNAVAILABLE, "Try again later.")
        return _answer(status.HTTP_200_OK, "OK")

    def _is_secret_right(self) -> bool:
        return constant_time_compare(self.kwargs.get("secret", ""), self.secret())


def _read(request: Request) -> Mapping[str, Any]:
    length = request.META.get("CONTENT_LENGTH") or ""
    # Without a length nothing is read: the server would hand over whatever comes.
    if not re.fullmatch("[0-9]{1,9}", length) or int(length) > LARGEST_NOTIFICATION:
        raise BadNotification(f"A notification has a length of at most {LARGEST_NOTIFICATION} bytes.")
    try:
        notification = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadNotification("A notification is a JSON object.") from None
    if not isinstance(notification, dict):
        raise BadNotification("A notification is a JSON object.")
    return notification


def _answer(code: int, text: str) -> Response:
    return Response({"detail": text}, status=code)
