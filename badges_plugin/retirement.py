"""
Who was retired, which is how the platform erases a person. The only place that decides it.

The platform gives a retired learner another user name and another e-mail address. Either of them tells: the LMS
replaces the address first, days before the user name, and the Credentials service replaces nothing but the user name. A
change to any other user name is a renaming of the same person.
"""

from __future__ import annotations

from django.db.models import Q

from . import conf

# Nothing that is sent there arrives: https://www.rfc-editor.org/rfc/rfc2606
_NOWHERE = "invalid"


def is_retired(username: str, email: str) -> bool:
    """Whether somebody of this user name and e-mail address was retired, or is about to be."""
    prefix, domains = _marks()
    if username.casefold().startswith(prefix.casefold()):
        return True
    _, at, domain = email.strip().rstrip(".").casefold().rpartition("@")
    return bool(at) and any(domain == each or domain.endswith(f".{each}") for each in domains)


def retired_users() -> Q:
    """Return the condition for users who were retired. It uses no index: ask seldom."""
    prefix, domains = _marks()
    condition = Q(username__istartswith=prefix)
    for domain in domains:
        condition |= Q(email__iendswith=f"@{domain}") | Q(email__iendswith=f".{domain}")
    return condition


def _marks() -> tuple[str, set[str]]:
    prefix, domain = conf.retirement()
    return prefix, {_NOWHERE, domain.casefold()}
