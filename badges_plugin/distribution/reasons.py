"""Store reasons in English, and show them in the language of the page: a worker does not know its readers.

A reason is a fixed sentence, marked with ``gettext_noop`` where it is written, and perhaps a detail in parentheses: the
provider's message, or the name of an exception. ``localized`` translates the sentence when a page shows it.
"""

from __future__ import annotations

from django.utils.translation import gettext

_OPENING = " ("


def with_detail(sentence: str, detail: object) -> str:
    """Return a reason made of a fixed sentence, which has no parentheses, and the details of this case."""
    return f"{sentence}{_OPENING}{detail})"


def localized(reason: str) -> str:
    """Return a stored reason in the language of the page; unchanged where its sentence has no translation."""
    sentence, opening, detail = reason.partition(_OPENING)
    return f"{gettext(sentence) if sentence else ''}{opening}{detail}"


def sentence_of(reason: str) -> str:
    """Return the fixed sentence of a stored reason, without the details of its case."""
    return reason.partition(_OPENING)[0]
