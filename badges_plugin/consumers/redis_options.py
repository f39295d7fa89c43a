"""Read the options that our Redis consumer accepts in ``--extra``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from badges_plugin.consumers.exceptions import UnusableOption

OPTIONS = frozenset({"consumer_name", "claim_msgs_older_than", "last_read_msg_id", "check_backlog"})
MAX_NAME_LENGTH = 255
MAX_CLAIM_MILLISECONDS = 366 * 24 * 3600 * 1000
_ENTRY_ID = re.compile(r"(?P<time>[0-9]{1,20})(-(?P<number>[0-9]{1,20}))?")
_MAX_PART = 2**64 - 1


@dataclass(frozen=True, kw_only=True)
class RedisOptions:
    """The options; None if omitted. ``claim_idle`` is in seconds."""

    consumer_name: str | None = None
    claim_idle: float | None = None
    last_read_msg_id: str | None = None


def read_options(extra: Mapping[str, object]) -> RedisOptions:
    """Return the options in ``extra``. Raises UnusableOption, which says what to write instead."""
    given = {name: value for name, value in extra.items() if value is not None}
    if not isinstance(given.get("check_backlog", True), bool):
        raise UnusableOption('"check_backlog" must be true or false; it has no effect and may be omitted.')
    return RedisOptions(
        consumer_name=_name(given["consumer_name"]) if "consumer_name" in given else None,
        claim_idle=_seconds(given["claim_msgs_older_than"]) if "claim_msgs_older_than" in given else None,
        last_read_msg_id=_entry_id(given["last_read_msg_id"]) if "last_read_msg_id" in given else None,
    )


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > MAX_NAME_LENGTH:
        raise UnusableOption(
            f'"consumer_name" must be a quoted name of at most {MAX_NAME_LENGTH} characters; omit it to generate one.'
        )
    return value


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MAX_CLAIM_MILLISECONDS:
        return value / 1000
    # Python's JSON parser also accepts NaN and Infinity; neither is within the limits.
    raise UnusableOption(
        '"claim_msgs_older_than" must be a number of milliseconds without quotes, above 0 and at most '
        f"{MAX_CLAIM_MILLISECONDS}; by default the setting claim_idle applies."
    )


def _entry_id(value: object) -> str:
    found = _ENTRY_ID.fullmatch(value) if isinstance(value, str) else None
    if value != "$" and (found is None or any(int(part or 0) > _MAX_PART for part in found.groupdict().values())):
        raise UnusableOption('"last_read_msg_id" must be the quoted id of an entry, such as "1679676448892-0".')
    return str(value)
