"""Reasons are stored in English, since whoever reads them has another language than the worker that wrote them.

A reason is a fixed sentence, marked with ``gettext_noop`` where it is written, and perhaps a detail in parentheses: the
provider's own words, the name of an exception. ``localized`` translates the sentence when a page shows it.
"""

from __future__ import annotations

from django.utils.translation import gettext

_OPENING = " ("


def with_detail(sentence: str, detail: object) -> str:
    """Return a reason of a fixed sentence and what is special about this case. The sentence has no parentheses."""
    return f"{sentence}{_OPENING}{detail})"


def localized(reason: str) -> str:
    """Return a stored reason in the language of the current page; as it is where it is no sentence of ours."""
    sentence, opening, detail = reason.partition(_OPENING)
    return f"{gettext(sentence) if sentence else ''}{opening}{detail}"
