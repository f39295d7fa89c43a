"""Redact text that other parties wrote, before it is logged, printed or stored.

Messages may quote a learner, and their senders may be hostile. Of an exception only the class is kept; from a text
e-mail addresses and the names beside them are removed; a line stays one line.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Iterator, Mapping
from html.entities import codepoint2name

from badges_plugin.exceptions import SafeToLog

MAX_LINE_LENGTH = 4000
"""Characters of a value that are logged or printed."""

# Control characters, including those of terminals; invisible characters, which may reverse a line; surrogates, which
# cannot be encoded; and characters that some programs treat as the end of a line.
_UNFIT_FOR_A_LINE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Some scripts need them.
_JOINERS = "\u200c\u200d"

# In an e-mail address "@" may be plain, full-width, or escaped as in URLs (repeatedly), JSON or HTML.
_AT = re.compile(r"[@\uff20\ufe6b]|%(?:25)*40|\\+u0040|\\+x40|&#0*64;|&#x0*40;|&commat;", re.IGNORECASE)
_ENDS_EMAIL = frozenset(' \t\r\n\v\f\u00a0\u2028\u2029"<>,;:()[]')
# The characters between a name and its e-mail address.
_OPENS_EMAIL = re.compile(r"\s*(?:[<(\[]|&lt;)\s*\Z")
_ESCAPED_OPENING = re.compile(r"\\+u003c|%(?:25)*3c", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "”": "“„", "“": "„", "»": "«", "’": "‘"}  # noqa: RUF001
# fmt: off
_PARTICLES = frozenset({
    "af", "al", "av", "bin", "da", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "e", "el", "ibn", "la",
    "le", "ten", "ter", "van", "von", "y", "zu",
})
# fmt: on
_MAX_NAME_LENGTH = 200


def one_line(text: object, longest: int = MAX_LINE_LENGTH) -> str:
    r"""Return ``text`` on one line that is safe to print in a log or on a terminal.

    Line breaks, control characters and invisible characters are escaped as in Python (``\n``, ``\x1b``). Text over
    ``longest`` characters is truncated, and its length appended.
    """
    whole = str(text)
    shown = whole[:longest]
    if not shown.isprintable():
        shown = "".join(_fit_for_a_line(char) for char in shown)
    return shown if len(whole) <= longest else f"{shown}… ({len(whole)} characters)"


def describe(error: BaseException) -> str:
    """Return, on one line, the classes of ``error`` and its causes, with the messages of those that are SafeToLog."""
    return " < ".join(
        f"{type(each).__name__}: {one_line(without_emails(str(each)[:MAX_LINE_LENGTH]))}"
        if isinstance(each, SafeToLog)
        else type(each).__name__
        for each in iter_causes(error)
    )


def describe_with_traceback(error: BaseException) -> str:
    """Return, on one line, the result of ``describe`` and the traceback of ``error``, innermost frame first."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return f"{describe(error)} at " + " < ".join(f"{each.filename}:{each.lineno} in {each.name}" for each in frames)


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and its causes from the latest to the first, including the members of exception groups."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        pending.extend(inner for inner in (each.__context__, each.__cause__) if inner is not None)
        if isinstance(each, BaseExceptionGroup):
            pending.extend(each.exceptions)


def without_emails(text: str) -> str:
    """Return ``text`` with every e-mail address, and the name beside it, replaced by ``<email>`` and ``<name>``.

    It is found quoted, escaped, and in any script or case. If it cannot be told from the text around it, as in a URL,
    that text is replaced as well. Takes time proportional to the length of the text.
    """
    kept: list[str] = []
    done = 0
    for at in _AT.finditer(text):
        if at.start() < done:
            continue  # inside the domain of the previous address
        start, end = _start_of_email(text, done, at.start()), _end_of_email(text, at.end())
        if start == at.start() or end == at.end():
            continue
        name = _name_before(text, done, start)
        if name is None:
            kept.append(f"{text[done:start]}<email>")
        else:
            kept.append(f"{text[done : name[0]]}<name>{text[name[1] : start]}<email>")
        done = end
    return "".join(kept) + text[done:]


def without(text: str, words: Mapping[str, str]) -> str:
    """Return ``text`` with each key of ``words`` replaced by its value, in all spellings.

    Keys are found in any case, composed or decomposed, and escaped as in URLs, JSON or HTML.
    """
    for secret, word in words.items():
        if secret.strip():
            # Backslashes are doubled, because re.sub interprets them in the replacement.
            text = re.sub(_spelled(secret.strip()), word.replace("\\", "\\\\"), text, flags=re.IGNORECASE)
    return text


def _fit_for_a_line(char: str) -> str:
    if unicodedata.category(char) in _UNFIT_FOR_A_LINE and char not in _JOINERS:
        return char.encode("unicode_escape").decode("ascii")
    return char


def _start_of_email(text: str, low: int, at: int) -> int:
    """Return the start of the e-mail address whose @ is at ``at``; not before ``low``."""
    start = at
    nearest = max(low, at - _MAX_NAME_LENGTH)
    if text.endswith(")", low, at):  # a comment: ada(work)@example.org
        start = max(text.rfind("(", nearest, at), nearest)
    elif text.endswith('"', low, at):  # quoted: "ada l"@example.org
        return max(text.rfind('"', nearest, at - 1), nearest)
    while start > low and (text[start - 1] not in _ENDS_EMAIL) and not _is_quote(text, start - 1):
        start -= 1
    return start


def _end_of_email(text: str, end: int) -> int:
    if text.startswith("[", end):  # ada@[192.0.2.1]
        closing = text.find("]", end)
        return closing + 1 if closing >= 0 else len(text)
    while end < len(text) and text[end] not in _ENDS_EMAIL and not _is_quote(text, end):
        end += 1
    return end


def _is_quote(text: str, index: int) -> bool:
    """Return whether this apostrophe is a quotation mark, unlike the one in o'brien@example.org."""
    return text[index] == "'" and not (text[index - 1 : index].isalnum() and text[index + 1 : index + 2].isalnum())


def _name_before(text: str, low: int, start: int) -> tuple[int, int] | None:
    """Return start and end of the name before an e-mail address: "Ada L" <a@b.c>, Ada Lovelace (a@b.c)."""
    low = max(low, start - _MAX_NAME_LENGTH)
    before = text[low:start]
    if opening := _OPENS_EMAIL.search(before):
        before = before[: opening.start()]
    elif _ESCAPED_OPENING.match(text, start):
        before = before.rstrip()
    else:
        return None
    end = low + len(before)
    if before and before[-1] in _QUOTES:
        opening_at = max(before.rfind(each, 0, -1) for each in _QUOTES[before[-1]])
        return (low + max(opening_at, 0), end)
    length = _length_of_name(before)
    return (end - length, end) if length else None


def _length_of_name(text: str) -> int:
    """Return the number of characters at the end of ``text`` that look like a name."""
    length = passed = 0
    for word in re.findall(r"\s*\S+\Z|\S+\s*", text)[::-1]:
        letters = word.strip()
        passed += len(word)
        if not letters or letters.endswith((":", ";")):
            break
        if letters[0].isalpha() and not letters[0].islower():
            length = passed - (len(word) - len(word.lstrip()))
        elif letters not in _PARTICLES:
            break
    return length


def _spelled(text: str) -> str:
    """Return a regular expression for all spellings of ``text``."""
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    return "|".join("".join(_spelled_char(char) for char in form) for form in sorted(forms))


def _spelled_char(char: str) -> str:
    if char.isspace():
        return r"(?:\s|\+|%(?:25)*20|%(?:25)*2b|\\+u0020|&nbsp;|&#32;)+"
    code = ord(char)
    units = char.encode("utf-16-be", "surrogatepass")
    spellings = [
        re.escape(char),
        "".join(f"%(?:25)*{byte:02x}" for byte in char.encode("utf-8", "surrogatepass")),
        "".join(rf"\\+u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2)),
        f"&#0*{code};",
        f"&#x0*{code:x};",
    ]
    if code in codepoint2name:
        spellings.append(f"&{codepoint2name[code]};")
    return f"(?:{'|'.join(spellings)})"
