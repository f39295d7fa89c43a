"""The marks of the learners that ``badges_load_test`` makes up. No person has all of them."""

from __future__ import annotations

USERNAME_PREFIX = "badges-load-test-"

EMAIL_DOMAIN = "badges-load-test.example"
"""Mail to it is never delivered: https://www.rfc-editor.org/rfc/rfc2606. Not below ".invalid", which is how the retired
are marked."""

FIRST_LMS_USER_ID = 2_000_000_000
"""The ids of an LMS count from 1 and end at 2,147,483,647."""

MAX_LEARNERS = 100_000_000


def is_synthetic(username: str, lms_user_id: int | None) -> bool:
    """Return whether a user was made up by a load test."""
    return username.startswith(USERNAME_PREFIX) and (lms_user_id or 0) >= FIRST_LMS_USER_ID
