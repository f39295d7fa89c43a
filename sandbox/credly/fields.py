"""Read the attributes of a request body, and collect every error before refusing it."""

import datetime as dt
import re

from sandbox.credly.records import Json, timestamp
from sandbox.credly.refusals import invalid

#: https://www.credly.com/docs/issued_badges, "locale"
LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")
#: "2014-04-01 09:41:00 -0500"; clients send ISO 8601 as well.
_DOCUMENTED_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)", re.ASCII)
# One @, no blanks, a dot in the domain: letters of any script are fine in both halves.
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+")
_TEXT_LIMIT = 255


class Fields:
    """One method for each kind of attribute. An invalid one yields a harmless value and an entry in ``errors``."""

    def __init__(self, body: Json) -> None:
        self._body = body
        self.errors: dict[str, str] = {}

    def check(self) -> None:
        """Raise Refused (422) if any attribute read so far was invalid."""
        if self.errors:
            raise invalid(self.errors)

    def text(self, name: str) -> str:
        value = self._body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return self._fault(name, "can't be blank")
        if not isinstance(value, str):
            return self._fault(name, "must be a string")
        if len(value) > _TEXT_LIMIT:
            return self._fault(name, f"is too long (maximum is {_TEXT_LIMIT} characters)")
        return value.strip()

    def optional_text(self, name: str) -> str | None:
        value = self._body.get(name)
        if value is None or value == "":
            return None
        # Clients send their user ids as numbers as well.
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name) or None

    def optional_flag(self, name: str) -> bool:
        value = self._body.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._fault(name, "must be true or false")
        return False

    def email(self, name: str) -> str:
        value = self.text(name)
        if value and not _EMAIL.fullmatch(value):
            return self._fault(name, "is invalid")
        return value

    def time(self, name: str) -> str:
        """Return the time in the form of the records. A time without an offset is UTC."""
        value = self.text(name)
        moment = _parse_time(value)
        if value and moment is None:
            return self._fault(name, "is not a valid date and time")
        return timestamp(moment) if moment else ""

    def expiry(self, name: str) -> str | None:
        """Return the time of expiry. Null means the template's default (none here), false means never."""
        value = self._body.get(name)
        if value is None or value is False:
            return None
        return self.time(name) or None

    def locale(self, name: str) -> str:
        value = self.optional_text(name) or "en"
        if value not in LOCALES:
            self._fault(name, "is not included in the list")
        return value

    def evidence(self, name: str) -> list[Json]:
        value = self._body.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) and item.get("type") for item in value):
            self._fault(name, "must be a list of objects with a type")
            return []
        return list(value)

    def _fault(self, name: str, text: str) -> str:
        self.errors.setdefault(name, text)
        return ""


def _parse_time(value: str) -> dt.datetime | None:
    match = _DOCUMENTED_TIME.fullmatch(value)
    try:
        moment = dt.datetime.fromisoformat("{}T{}{}:{}".format(*match.groups()) if match else value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
