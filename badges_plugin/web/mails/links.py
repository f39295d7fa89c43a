"""The links of a mail: below the base URL of the issuer, never of a request."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core import signing
from django.urls import reverse

_SALT = "badges_web.mails.off"
_EXAMPLE = "example.com"
"""The domain of Django's own first site: no mail leads there."""


def absolute(base_url: str, path: str) -> str:
    """Return the URL of one of our paths."""
    return base_url.rstrip("/") + path


def is_usable(base_url: str) -> bool:
    """Whether links below this URL lead anywhere: not while nobody has said where the service is."""
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and host != _EXAMPLE and not host.endswith(f".{_EXAMPLE}")


def off_path(user_id: int) -> str:
    """Return the path at which a learner stops mails without signing in."""
    return reverse("badges_web:mails_off", args=[token_of(user_id)])


def token_of(user_id: int) -> str:
    """Return what a learner's link to stop mails carries. It does not expire: a mail may be read years later."""
    return signing.dumps(user_id, salt=_SALT)


def user_of(token: str) -> int | None:
    """Return the key of the user whose link it is; None where nobody here has made it."""
    try:
        found = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return found if isinstance(found, int) else None
