"""What a provider contributes to the adoption of the built-in app: its accounts, templates and badges.

The built-in app has one set of models for each provider that it knows. A backend says which, and writes its own rows.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from badges_plugin.host import AWARDED
from badges_plugin.models import BadgeAward, BadgeTemplate

BuiltinRow = Any
"""A row of a model of the built-in app, which differs from one release of the host to the next."""


class Fate(enum.Enum):
    """What a badge of the built-in app is, whatever it says."""

    ISSUED = "issued"
    LOST = "lost"
    """Awarded, but it is not known whether the provider has it: nobody asked again when it did not answer."""
    REVOKED = "revoked"
    REVOCATION_LOST = "revocation lost"
    """Revoked here, and perhaps valid at the provider."""
    NEVER_AWARDED = "never awarded"
    """A row that was made when something was taken from a learner who had nothing."""


def fate_of(status: str, state: str, *, is_known: bool, issued: Collection[str], revoked: Collection[str]) -> Fate:
    """Return what became of a badge.

    ``status`` is the host's, ``state`` the provider's; ``is_known``: the provider has told an id. ``issued`` and
    ``revoked`` are the states of badges that are valid at the provider, and that no longer are.
    """
    if status == AWARDED:
        return Fate.ISSUED if is_known and state in issued else Fate.LOST
    if not is_known:
        return Fate.NEVER_AWARDED
    return Fate.REVOKED if state in revoked else Fate.REVOCATION_LOST


class AdoptedBadge(NamedTuple):
    """An award that was just written, and the badge of the built-in app that it was."""

    award: BadgeAward
    badge: BuiltinRow
    fate: Fate


class Adopter(ABC):
    """One provider. Names are those of the built-in app's models; a release may lack them."""

    template_model: ClassVar[str]
    badge_model: ClassVar[str]
    issued_states: ClassVar[frozenset[str]]
    revoked_states: ClassVar[frozenset[str]]

    @abstractmethod
    def adopt_accounts(self, *, dry_run: bool) -> Counter[str]:
        """Make each account, with its key, one of ours, and count them by what became of them."""

    @abstractmethod
    def own_template(self, row: BuiltinRow) -> BadgeTemplate | None:
        """Return our template for one of the built-in app; None if there is none yet."""

    @abstractmethod
    def make_template(self, row: BuiltinRow, values: Mapping[str, object]) -> BadgeTemplate:
        """Save our template for one of the built-in app, not active. ``values`` are those of the core's columns.

        Called after ``adopt_accounts``.
        """

    @abstractmethod
    def refusal(self, own: BadgeTemplate | None, row: BuiltinRow) -> str:
        """Return why the provider issues no badges of a template, in a sentence for staff; empty when it does.

        ``own`` is ours, which is asked if there is one: it may know newer things.
        """

    @abstractmethod
    def external_id(self, badge: BuiltinRow) -> str:
        """Return the provider's id of a badge; empty where none is known."""

    @abstractmethod
    def adopt_badges(self, adopted: Sequence[AdoptedBadge]) -> None:
        """Write our rows of badges of one template, and what is delivered, in the transaction of the awards.

        Nothing may be sent to the provider unless staff ask for it.
        """

    def fate(self, badge: BuiltinRow) -> Fate:
        """Return what became of a badge."""
        return fate_of(
            badge.status,
            badge.state,
            is_known=bool(self.external_id(badge)),
            issued=self.issued_states,
            revoked=self.revoked_states,
        )


_adopters: dict[str, Adopter] = {}


def register(adopter: Adopter) -> None:
    """Add what a provider contributes. Calling this twice has no further effect."""
    _adopters[adopter.template_model] = adopter


def registered() -> list[Adopter]:
    """Return what the providers contribute, in the order of their models' names."""
    return [adopter for _, adopter in sorted(_adopters.items())]
