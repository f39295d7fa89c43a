"""What a probe says."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from badges_plugin.redaction import one_line


class Level(enum.IntEnum):
    """How bad it is."""

    OK = 0
    WARNING = 1
    """Something may surprise, or will be a problem if it stays."""
    ERROR = 2
    """Badges are not awarded, not published or not delivered."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Neither text names a learner or tells a secret, and each is one line."""

    level: Level
    what: str
    advice: str = ""
    """What to do; only what is in order needs none."""

    def __post_init__(self) -> None:
        if self.level is not Level.OK and not self.advice:
            raise ValueError(f"A finding must say what to do: {self.what}")
        # Names and reasons in it were written by others: by providers, for instance.
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
