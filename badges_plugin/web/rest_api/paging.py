"""Pages of lists: where one begins, how long it is, and the address of the next one. Nothing is counted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import replace_query_param

from badges_plugin.web.rest_api.conf import config

Position = tuple[int, int]

# Databases keep whole numbers of 64 bits, and Python no times after the year 9999.
_MOST = 2**63 - 1
_LATEST = 253_402_300_800 * 10**6
_POSITION = re.compile(r"(-?\d{1,18})\.(\d{1,19})", re.ASCII)


class CursorField(serializers.CharField):
    """A position, written so that nobody builds on what it means."""

    default_error_messages = {
        "invalid": gettext_lazy("This cursor cannot be used. Take it unchanged from the last answer.")
    }

    def to_internal_value(self, data: Any) -> Position:  # type: ignore[override]
        text = super().to_internal_value(data)
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        except (ValueError, binascii.Error):
            self.fail("invalid")
        found = _POSITION.fullmatch(plain)
        first, second = (int(found[1]), int(found[2])) if found else (_LATEST, 0)
        if not -_LATEST // 5 < first < _LATEST or second > _MOST:
            self.fail("invalid")
        return first, second


class PageQuery(serializers.Serializer[Any]):
    """The parameters of every list."""

    cursor = CursorField(required=False, max_length=80)
    page_size = serializers.IntegerField(required=False, min_value=1)


@dataclass(frozen=True)
class Wanted:
    """The page that is asked for. ``parameters`` are the other parameters of the list."""

    after: Position | None
    limit: int
    parameters: dict[str, Any]


def wanted(request: Request, query: type[PageQuery] = PageQuery) -> Wanted:
    """Read the parameters of a request. A page that is too long is shortened. Raises ValidationError (400)."""
    given = query(data=request.query_params.dict())
    # A misspelled filter that is ignored would answer with more than was asked for.
    unknown = request.query_params.keys() - given.fields.keys() - {api_settings.URL_FORMAT_OVERRIDE}
    if unknown:
        raise ValidationError({name: [_("There is no such parameter.")] for name in sorted(unknown)})
    given.is_valid(raise_exception=True)
    values = dict(given.validated_data)
    limit = min(values.pop("page_size", config().page_size), config().max_page_size)
    return Wanted(values.pop("cursor", None), limit, values)


def page(request: Request, rows: Iterable[Any], following: Position | None) -> Response:
    """Return the answer with a page of a list. ``next`` is the address of the following page, or null."""
    address = None
    if following is not None:
        plain = f"{following[0]}.{following[1]}".encode("ascii")
        cursor = base64.urlsafe_b64encode(plain).decode("ascii").rstrip("=")
        address = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
    return Response({"next": address, "results": list(rows)})
