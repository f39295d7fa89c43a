"""Letters for the middle of a badge: which to take from its name, and about how wide they are.

``letters_of`` takes letters as they are written; it never changes their case, which depends on the language:

- scripts with capital letters: the first letters of the first two words, or the first two letters of a single word.
  Words that begin with a small letter are left out where others begin with a capital ("History of Art": HA).
  A number counts as a word, with up to three digits ("Logic 101": L101);
- Chinese, Japanese and Korean: the first two characters;
- other scripts: the first word, if it has at most eight letters, else its first letter. Initials are unusual in them,
  and where letters join, a part of a word looks wrong.

Only letters and digits count: a name of emoji alone gives no letters.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LETTERS = 8
_MAX_DIGITS = 3
_ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"
# Characters that XML 1.0 cannot contain, escaped or not: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IDEOGRAPHIC = ("CJK ", "HIRAGANA ", "KATAKANA ", "HANGUL ")


def plain(text: str) -> str:
    """Return text without what XML cannot contain and fonts do not draw, on one line."""
    visible = "".join(each for each in _NOT_XML.sub("", text) if unicodedata.category(each) != "Cc" or each.isspace())
    return " ".join(unicodedata.normalize("NFC", visible).split())


def clusters(text: str) -> list[str]:
    """Divide text into what a reader takes for one letter: a character with its marks, or what is joined to it."""
    found: list[str] = []
    joins = False
    for each in text:
        if found and (joins or each == _ZERO_WIDTH_JOINER or unicodedata.category(each) in {"Mn", "Mc", "Me"}):
            found[-1] += each
        else:
            found.append(each)
        # After a virama (class 9), the next consonant belongs to the same letter: क्ष.
        joins = each == _ZERO_WIDTH_JOINER or unicodedata.combining(each) == 9
    return found


def letters_of(name: str) -> str:
    """Return the letters for a badge of this name; empty if it has none."""
    words = [word for word in (_word(part) for part in re.split(r"[\s\-–—/&+.,:;|]+", plain(name))) if word]
    if not words:
        return ""
    first = words[0]
    letters = clusters(first)
    if _is_ideographic(first[0]):
        return "".join(letters[:2])
    if first[0].isalpha() and not _has_case(first[0]):
        return first if len(letters) <= MAX_LETTERS else letters[0]
    capitals = [word for word in words if not word[0].islower()]
    chosen = (capitals if any(word[0].isupper() for word in capitals) else words)[:2]
    if len(chosen) == 1:
        return chosen[0][:_MAX_DIGITS] if chosen[0].isdigit() else "".join(clusters(chosen[0])[:2])
    return "".join(word[:_MAX_DIGITS] if word.isdigit() else clusters(word)[0] for word in chosen)


def is_right_to_left(text: str) -> bool:
    """Whether text begins in a script that is written from right to left (first strong character)."""
    for each in text:
        direction = unicodedata.bidirectional(each)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False


def estimated_width(text: str) -> float:
    """Return about how wide text is in a bold font, in units of the font's size; rather too much than too little."""
    return sum(_width(cluster) for cluster in clusters(text))


def _word(part: str) -> str:
    """Return a part of a name from its first letter or digit to its last; empty without any."""
    found = re.search(r"[^\W_](?:.*\w)?", part)
    return found[0] if found else ""


def _has_case(letter: str) -> bool:
    return letter.islower() or letter.isupper() or letter.istitle()


def _is_ideographic(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_IDEOGRAPHIC)


def _width(cluster: str) -> float:
    first = cluster[0]
    if unicodedata.east_asian_width(first) in {"W", "F"}:
        return 1.05
    if first in "iljtfrI1.,:;!|'() ":
        return 0.45
    if first in "mwMW@%":
        return 1.0
    return 0.76 if first.isupper() else 0.63
