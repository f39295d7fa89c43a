"""The findings of a probe."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from badges_plugin.redaction import one_line


class Level(enum.IntEnum):
    """How serious a finding is."""

    OK = 0
    WARNING = 1
    """Something is unexpected, or will become a problem."""
    ERROR = 2
    """Badges are not awarded, not published or not delivered."""


@dataclass(frozen=True)
class Finding:
    """The result of examining one thing. Both texts are one line and contain no learner's name and no secret."""

    level: Level
    what: str
    advice: str = ""
    """The remedy; required unless everything is in order."""

    def __post_init__(self) -> None:
        if self.level is not Level.OK and not self.advice:
            raise ValueError(f"A finding must say what to do: {self.what}")
        # Other parties, such as providers, wrote the names and reasons in it.
        object.__setattr__(self, "what", one_line(self.what))
        object.__setattr__(self, "advice", one_line(self.advice))

    @classmethod
    def ok(cls, what: str) -> Finding:
        return cls(Level.OK, what)

    @classmethod
    def warning(cls, what: str, advice: str) -> Finding:
        return cls(Level.WARNING, what, advice)

    @classmethod
    def error(cls, what: str, advice: str) -> Finding:
        return cls(Level.ERROR, what, advice)


Probe = Callable[[], Iterable[Finding]]
