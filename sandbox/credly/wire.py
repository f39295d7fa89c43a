"""Request and Reply, independent of sockets."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from sandbox.credly.records import Json
from sandbox.credly.refusals import Refused

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Request:
    method: str
    #: Path with query string, as sent.
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def token(self) -> str | None:
        """Return the user name of HTTP Basic authorization. The password must be empty."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user if user and colon and not password else None

    def json_object(self, *, optional: bool = False) -> Json:
        """Return the body, which must be a JSON object. Raises Refused (400)."""
        if optional and not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refused(400, "The request body is not valid JSON") from None
        if not isinstance(value, dict):
            raise Refused(400, "The request body must be a JSON object")
        return value


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: "drop" closes the connection without a byte; "hang" keeps silent for ``hold`` seconds, then closes it.
    manner: Literal["answer", "drop", "hang"] = "answer"
    hold: float = 0.0


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps(value).encode()
    return Reply(status, body, {"Content-Type": JSON_TYPE, **(headers or {})})


def refusal_reply(refused: Refused) -> Reply:
    return json_reply(refused.body, refused.status)
