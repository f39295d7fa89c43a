"""The lines of a list in words: whom each means, and what will happen or has happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.distribution.api import obstacles, provider_name
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending, ManualAwardLine, ManualAwardList
from badges_plugin.retirement import retired_among
from badges_plugin.times import day_text
from badges_plugin.web.desk.giving.suggesting import nearest, offer
from badges_plugin.web.desk.reached import desk_url

_Outcome = ManualAwardLine.Outcome
_State = ManualAwardList.State

GETTING = (_Outcome.WAITING, _Outcome.GIVEN, _Outcome.UNDONE, _Outcome.KEPT)
"""Lines whose learner gets the badge, or got it."""

# What decides whether a badge can be delivered.
_READ = ("username", "email", "full_name", "first_name", "last_name", "badges_learner__was_named")

# A shape of the style sheet for each outcome.
_SHAPES = {
    _Outcome.WAITING: "desk-ok",
    _Outcome.GIVEN: "desk-ok",
    _Outcome.HAS_IT: "desk-lost",
    _Outcome.UNKNOWN: "desk-bad",
    _Outcome.SEVERAL: "desk-bad",
    _Outcome.TWICE: "desk-lost",
    _Outcome.INACTIVE: "desk-bad",
    _Outcome.FAILED: "desk-bad",
    _Outcome.STOPPED: "desk-lost",
    _Outcome.UNDONE: "desk-lost",
    _Outcome.KEPT: "desk-warn",
}

_TEXTS = {
    _Outcome.WAITING: gettext_lazy("Waits for its turn"),
    _Outcome.GIVEN: gettext_lazy("Given"),
    _Outcome.HAS_IT: gettext_lazy("Has it already. Nothing happened."),
    _Outcome.UNKNOWN: gettext_lazy("Nobody here has this user name"),
    _Outcome.SEVERAL: gettext_lazy("Several people here have this address. Write the user name instead."),
    _Outcome.TWICE: gettext_lazy("Twice in the list; counted once"),
    _Outcome.INACTIVE: gettext_lazy("Not given: the badge was deactivated"),
    _Outcome.FAILED: gettext_lazy("Not given, because of an error. It is in the log of the service."),
    _Outcome.STOPPED: gettext_lazy("Not given: the list was undone before"),
    _Outcome.UNDONE: gettext_lazy("Taken back"),
    _Outcome.KEPT: gettext_lazy("Left as it is: it was changed since"),
}
_GONE = gettext_lazy("The account was deleted or retired")


@dataclass(frozen=True)
class Row:
    """A line as it is shown. ``suggestion``: the user who may be meant. Of the erased, it says nothing.

    .. pii: Carries the name and address of a learner in memory; never logged.
    .. pii_types: username, name, email_address
    .. pii_retirement: retained
    """

    pk: int
    number: int
    written: str
    name: str
    address: str
    shape: str
    text: str
    suggestion: User | None
    is_erased: bool = False
    learner_url: str = ""
    award_url: str = ""

    @property
    def offer(self) -> str:
        """Return the value of the button that accepts the suggestion."""
        return "" if self.suggestion is None else offer(self.pk, self.suggestion.pk)


@dataclass(frozen=True)
class Counts:
    """How many lines a list has, by outcome; and how many of the badges it gave are held still."""

    of: dict[str, int]
    held: int

    @property
    def total(self) -> int:
        return sum(self.of.values())

    @property
    def getting(self) -> int:
        return sum(self.of.get(outcome, 0) for outcome in GETTING)

    @property
    def others(self) -> int:
        return self.total - self.getting

    @property
    def waiting(self) -> int:
        return self.of.get(_Outcome.WAITING, 0)

    @property
    def given(self) -> int:
        return self.of.get(_Outcome.GIVEN, 0)

    @property
    def lost(self) -> int:
        """Return how many badges of the list were taken away, or expired, since it was given."""
        return self.given - self.held

    @property
    def undone(self) -> int:
        return self.of.get(_Outcome.UNDONE, 0)

    @property
    def kept(self) -> int:
        return self.of.get(_Outcome.KEPT, 0)


def counts(award_list: ManualAwardList) -> Counts:
    """Return how many lines have which outcome. One query."""
    held = Count("award", filter=Q(award__revoked_at=None))
    lines = award_list.lines.order_by("outcome").values_list("outcome")
    found = list(lines.annotate(number=Count("pk"), held=held))
    numbers = {outcome: number for outcome, number, _held in found}
    return Counts(numbers, sum(held for outcome, _number, held in found if outcome == _Outcome.GIVEN))


def numbers_getting(list_ids: Sequence[int]) -> dict[int, int]:
    """Return, by list, how many learners get the badge or got it. One query."""
    lines = ManualAwardLine.objects.filter(list__in=list_ids, outcome__in=GETTING).order_by("list")
    return dict(lines.values_list("list").annotate(number=Count("pk")))


def rows(
    award_list: ManualAwardList,
    lines: Sequence[ManualAwardLine],
    *,
    with_addresses: bool,
    request: HttpRequest | None = None,
) -> list[Row]:
    """Return lines, which come with their users and these' ``badges_learner``, in words.

    Two queries at most; three more for a draft with a request.

    Without addresses, the rows have user names in their place, and nothing that was written. With a request, they have
    links to the pages that the person may open, and those of a draft say who else may be meant.
    """
    found = _Words(award_list, lines, with_suggestions=request is not None).rows()
    if request is not None:
        found = [_with_links(row, line, request) for row, line in zip(found, lines, strict=True)]
    if with_addresses:
        return found
    names = {line.pk: line.user.get_username() if line.user is not None else "" for line in lines}
    return [replace(row, written="", address="" if row.is_erased else names[row.pk]) for row in found]


def number_undeliverable(award_list: ManualAwardList) -> int:
    """Return to how many of those who get a badge it cannot be delivered. One query, or none.

    Reads all learners of the list, where a provider asks for an address or a name.
    """
    if award_list.state == _State.DRAFT:
        lines = award_list.lines.filter(outcome=_Outcome.WAITING)
    elif award_list.state == _State.GIVEN:
        lines = award_list.lines.filter(outcome=_Outcome.GIVEN, award__revoked_at=None, award__isnull=False)
    else:
        return 0
    users = User.objects.filter(pk__in=lines.values("user")).select_related("badges_learner")
    return len(obstacles(award_list.template, users.only(*_READ)))


def _with_links(row: Row, line: ManualAwardLine, request: HttpRequest) -> Row:
    learner = desk_url(request, "desk_learner", line.user_id) if line.user_id is not None else ""
    award = desk_url(request, "desk_award", line.award_id) if line.award_id is not None else ""
    return replace(row, learner_url=learner, award_url=award)


def name_of(user: User | None) -> str:
    """Return how staff and learners are called on these pages."""
    return "" if user is None else str(user.full_name or user.get_username())


class _Words:
    def __init__(
        self, award_list: ManualAwardList, lines: Sequence[ManualAwardLine], *, with_suggestions: bool
    ) -> None:
        self._lines = lines
        self._is_draft = award_list.state == _State.DRAFT
        users = [line.user for line in lines if line.user is not None]
        self._gone = retired_among(users)
        self._obstacles = obstacles(award_list.template, [user for user in users if user.pk not in self._gone])
        self._provider = provider_name(award_list.template)
        self._last = _last_awards(award_list.template, users) if self._is_draft else {}
        unknown = [line.written for line in lines if line.outcome == _Outcome.UNKNOWN and line.written]
        self._nearest = nearest(unknown) if self._is_draft and with_suggestions and unknown else {}

    def rows(self) -> list[Row]:
        return [self._row(line) for line in self._lines]

    def _row(self, line: ManualAwardLine) -> Row:
        user = line.user
        if user is not None and user.pk in self._gone:
            return self._row_of_erased(line)
        shape = _SHAPES[_Outcome(line.outcome)]
        if line.outcome == _Outcome.WAITING and user is not None and (user.pk in self._obstacles or self._lost(user)):
            shape = "desk-warn"
        return Row(
            pk=line.pk,
            number=line.number,
            written=line.written,
            name=name_of(user),
            address=user.email if user is not None else "",
            shape=shape,
            text=self._text(line, user),
            suggestion=self._nearest.get(line.written),
        )

    def _row_of_erased(self, line: ManualAwardLine) -> Row:
        """Return what is said of a retired learner: what other pages say, and not what was written either."""
        is_waiting = line.outcome == _Outcome.WAITING
        outcome = _Outcome.UNKNOWN if is_waiting else _Outcome(line.outcome)  # which it is once its turn comes
        return Row(
            pk=line.pk,
            number=line.number,
            written="",
            name=_("Erased learner"),
            address="",
            shape=_SHAPES[outcome],
            text=str(_GONE if outcome is _Outcome.UNKNOWN else _TEXTS[outcome]),
            suggestion=None,
            is_erased=True,
        )

    def _text(self, line: ManualAwardLine, user: User | None) -> str:
        outcome = _Outcome(line.outcome)
        if user is None:
            is_address = outcome is _Outcome.UNKNOWN and "@" in line.written
            return _("Nobody here has this address") if is_address else str(_TEXTS[outcome])
        if outcome is _Outcome.WAITING and self._is_draft:
            return self._prospect(user)
        if outcome is _Outcome.GIVEN and user.pk in self._obstacles:
            return _("Given; %s") % self._obstacles[user.pk]
        if outcome is _Outcome.HAS_IT and user.pk in self._last:
            return _("Has it already, since %s. Nothing happens.") % day_text(self._last[user.pk].awarded_at)
        return str(_GONE if outcome is _Outcome.UNKNOWN else _TEXTS[outcome])

    def _prospect(self, user: User) -> str:
        lost = self._lost(user)
        if obstacle := self._obstacles.get(user.pk):
            told = _("Gets it here; %s") % obstacle
        elif self._provider:
            told = _("Gets it, also at %s") % self._provider
        else:
            told = _("Gets it")
        return f"{lost}. {told}" if lost else told

    def _lost(self, user: User) -> str:
        """Return how the learner lost the badge before; empty for who never had it."""
        award = self._last.get(user.pk)
        if award is None or award.revoked_at is None:
            return ""
        day = day_text(award.revoked_at)
        match award.last_ending:
            case "":
                return ""
            case Ending.EXPIRED:
                return _("Had it until %s") % day
            case Ending.BY_HAND:
                return _("Staff revoked it on %s") % day
            case Ending.PROVIDER:
                return _("It was revoked at the provider on %s") % day
        return _("Lost it on %s") % day


def _last_awards(template: BadgeTemplate, users: Sequence[User]) -> dict[int, BadgeAward]:
    awards = BadgeAward.objects.filter(progress__template=template, progress__user__in=users).order_by("number")
    return {award.progress.user_id: award for award in awards.select_related("progress")}
