"""Decide whether some text matches several patterns, such as those of rules.

A pattern is a sequence of tokens; each stands for one character, or for any number of them. The patterns are walked
through in parallel, so the answer is exact.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MAX_STATES = 50_000
"""States after which the search stops and assumes that there may be such a text."""

_OTHER = "\ue000"
"""Represents all characters that no pattern names."""


@dataclass(frozen=True)
class Token:
    """A set of characters that may occur at one position."""

    accepts: Callable[[str], bool]
    named: str
    """The characters that it distinguishes; all others are equivalent."""
    repeats: bool = False
    """Whether they may occur any number of times, including zero."""


Pattern = tuple[Token, ...]

ANYTHING: Pattern = (Token(lambda char: True, "", repeats=True),)


def literal(text: str) -> Pattern:
    return tuple(Token(char.__eq__, char) for char in text)


def word(characters: str) -> Pattern:
    """Return the pattern of one or more characters of a regular-expression character class."""
    matcher = re.compile(f"[{characters}]")
    named = "x0-.:~_+/@% "
    return (
        Token(lambda char: matcher.match(char) is not None, named),
        Token(lambda char: matcher.match(char) is not None, named, repeats=True),
    )


def starting_with(text: str) -> Pattern:
    return (*literal(text), *ANYTHING)


def containing(text: str) -> Pattern:
    return (*ANYTHING, *literal(text), *ANYTHING)


def glob(text: str) -> Pattern:
    """Return the pattern of ``fnmatch`` syntax: ``*``, ``?`` and ``[ab]``."""
    return tuple(_glob_tokens(text))


def meet(patterns: Sequence[Pattern]) -> bool:
    """Return whether some text matches all patterns."""
    alphabet = {_OTHER, *(char for pattern in patterns for token in pattern for char in token.named)}
    start = (0,) * len(patterns)
    seen, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        if all(place == len(pattern) for place, pattern in zip(state, patterns, strict=True)):
            return True
        if len(seen) > MAX_STATES:
            return True
        for following in _following(state, patterns, alphabet):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return False


def _following(state: tuple[int, ...], patterns: Sequence[Pattern], alphabet: set[str]) -> Iterator[tuple[int, ...]]:
    tokens = [pattern[place] if place < len(pattern) else None for place, pattern in zip(state, patterns, strict=True)]
    for number, token in enumerate(tokens):
        if token is not None and token.repeats:
            yield (*state[:number], state[number] + 1, *state[number + 1 :])
    for char in alphabet:
        if all(token is not None and token.accepts(char) for token in tokens):
            yield tuple(
                place if token is not None and token.repeats else place + 1
                for place, token in zip(state, tokens, strict=True)
            )


def _glob_tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        char = text[place]
        place += 1
        if char == "*":
            yield from ANYTHING
        elif char == "?":
            yield Token(lambda char: True, "")
        elif char == "[" and (end := _end_of_class(text, place)):
            one_of = text[place - 1 : end]
            matcher = re.compile(fnmatch.translate(one_of))
            yield Token(lambda char, matcher=matcher: matcher.match(char) is not None, one_of)  # type: ignore[misc]
            place = end
        else:
            yield from literal(char)


def _end_of_class(text: str, start: int) -> int:
    """Return the end of a class that begins before ``start``, 0 if it is not a class. A leading "]" is a member."""
    first = start + 1 if text[start : start + 1] == "!" else start
    return text.find("]", first + 1) + 1
