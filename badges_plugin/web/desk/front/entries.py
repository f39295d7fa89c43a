"""The entries below the heading *Badges*, in the order of work: what each is for, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.admin.awards import CHECK
from badges_plugin.admin.own_templates import DRAFTS, PROBLEM
from badges_plugin.counting import in_thousands, in_words
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    FailedEvent,
    RequirementGroup,
)
from badges_plugin.web.desk.front.figures import Figures
from badges_plugin.web.desk.reached import desk_url
from badges_plugin.web.desk.running import LATE_SECONDS, waited
from badges_plugin.web.models import Collection, Publication
from badges_plugin.web.notes import MailNote, MailText

Page = Mapping[str, Any]
"""What Django's index says of a model that the person may open: ``model``, ``name``, ``admin_url``, ``add_url``."""

EXPERTS: tuple[type[Model], ...] = (BadgeRequirement, RequirementGroup, BadgePenalty)
SEEN: tuple[type[Model], ...] = (MailNote, MailText, Collection, Publication)
OF_PROVIDERS = 100


@dataclass(frozen=True)
class Link:
    """Where to go, and what it is called."""

    name: str
    url: str


@dataclass(frozen=True)
class Attention:
    """Something that somebody should see to."""

    text: str
    url: str
    is_bad: bool = True


@dataclass(frozen=True)
class Entry:
    """One row. ``link.url`` is empty where the row only names its ``links``; ``add`` is None where nothing is added."""

    link: Link
    purpose: str
    figure: str = ""
    attention: Attention | None = None
    add: Link | None = None
    links: tuple[Link, ...] = ()


def entries(request: HttpRequest, pages: Sequence[Page], figures: Figures) -> list[Entry]:
    """Return the entries that the person may open, with the numbers that are known."""
    return list(_Entries(request, pages, figures).all())


def order(pages: Sequence[Page]) -> list[Page]:
    """Return the pages in the order of the entries, under the entries' names."""
    named = _names()
    ranks = {model: rank for rank, model in enumerate(named)}
    later = {model: OF_PROVIDERS + 1 + rank for rank, model in enumerate((*EXPERTS, *SEEN))}
    ranked = sorted(pages, key=lambda page: (_rank(page["model"], ranks | later), str(page["name"])))
    return [{**page, "name": named.get(page["model"], page["name"])} for page in ranked]


def _rank(model: type[Model], ranks: Mapping[type[Model], int]) -> float:
    """Return where a page comes. The badges of providers are beside our own, all else of providers after the rest."""
    return ranks.get(model, 0.5 if issubclass(model, BadgeTemplate) else OF_PROVIDERS)


def _names() -> dict[type[Model], str]:
    return {
        BadgeTemplate: _("Badges"),
        BadgeProgress: _("Progress"),
        BadgeAward: _("Awards"),
        _delivery(): _("Deliveries"),
        FailedEvent: _("Failed events"),
        _channel(): _("Sending, by account"),
    }


def _delivery() -> type[Model]:
    return apps.get_model("badges_distribution", "Delivery")


def _channel() -> type[Model]:
    return apps.get_model("badges_distribution", "Channel")


class _Entries:
    """Knows what the person may open, so that each entry is decided in one place."""

    def __init__(self, request: HttpRequest, pages: Sequence[Page], figures: Figures) -> None:
        self.request = request
        self.figures = figures
        self.pages: dict[type[Model], Page] = {page["model"]: page for page in pages}
        self.names = _names()

    def all(self) -> Iterator[Entry]:
        yield from self._badges()
        yield from self._desk("desk_learners", _("Learners"), self._learners_text(), self._learners_figure())
        yield from self._model(BadgeProgress, _("How far learners are, and who is nearly there."))
        yield from self._awards()
        yield from self._deliveries()
        yield from self._failed_events()
        yield from self._running()
        yield from self._providers()
        week = self._some("awards this week")
        figure = _("%s awarded this week.") % week if week else ""
        yield from self._desk(
            "desk_numbers", _("Numbers"), _("Awarded, revoked and accepted, by week and by badge."), figure
        )
        yield from self._several(_("Rules"), _("For experts: what badges ask for, row by row."), EXPERTS)
        yield from self._several(_("Mails and pages"), _("What learners are told, and what they publish."), SEEN)

    def _learners_text(self) -> str:
        return _("Everything about one learner: what they have, what they are on the way to, and why.")

    def _learners_figure(self) -> str:
        number = self._some("learners")
        return _("%s so far.") % number if number else ""

    def _some(self, *names: str) -> str:
        """Return a number in words; empty where it is not known or zero."""
        number = self.figures.get(names[0], 0)
        return in_words(number) if number else ""

    def _badges(self) -> Iterator[Entry]:
        of_providers = [each for each in self.pages if issubclass(each, BadgeTemplate) and each is not BadgeTemplate]
        page = self.pages.get(BadgeTemplate)
        if page is None:
            if of_providers:
                yield from self._several(self.names[BadgeTemplate], _("The badges of each provider."), of_providers)
            return
        yield Entry(
            Link(self.names[BadgeTemplate], page["admin_url"]),
            _("Make a badge, change what it asks for."),
            self._badge_figure(),
            self._drafts(),
            add=Link(_("Add"), page["add_url"]) if page["add_url"] else None,
            links=(
                *self._links(of_providers),
                *self._desk_links(("desk_try", _("Try a badge")), ("desk_deleted_badges", _("Deleted badges"))),
            ),
        )

    def _badge_figure(self) -> str:
        if not {"active badges", "inactive badges", "drafts"} <= self.figures.keys():
            return ""
        active, inactive, drafts = (self.figures[name] for name in ("active badges", "inactive badges", "drafts"))
        if not active + inactive:
            return _("No badge yet. Make the first one.")
        told = [_("%s active") % in_words(active)]
        told += [ngettext("%s draft", "%s drafts", drafts) % in_words(drafts)] if drafts else []
        told += [_("%s inactive") % in_words(inactive - drafts)] if inactive > drafts else []
        return f"{', '.join(told)}."

    def _drafts(self) -> Attention | None:
        number = self.figures.get("drafts with a problem", 0)
        if not number:
            return None
        text = ngettext("%s draft has a problem", "%s drafts have a problem", number) % in_words(number)
        return Attention(text, f"{self.pages[BadgeTemplate]['admin_url']}?{DRAFTS}={PROBLEM}", is_bad=False)

    def _to_check(self) -> Attention | None:
        number = self.figures.get("awards to check", 0)
        if not number or BadgeAward not in self.pages:
            return None
        text = ngettext("%s to check", "%s to check", number) % in_words(number)
        return Attention(text, f"{self.pages[BadgeAward]['admin_url']}?state={CHECK}", is_bad=False)

    def _awards(self) -> Iterator[Entry]:
        held = self._some("held awards")
        by_hand = desk_url(self.request, "desk_give")
        yield from self._model(
            BadgeAward,
            _("Who has which badge, since when, and why no longer."),
            _("%s held.") % held if held else "",
            attention=self._to_check(),
            add=Link(_("By hand"), by_hand) if by_hand else None,
            links=self._desk_links(("desk_gift_lists", _("Lists of badges given by hand"))),
        )

    def _deliveries(self) -> Iterator[Entry]:
        waiting, on_hold = self._some("deliveries waiting"), self._some("deliveries on hold")
        told = [_("%s waiting.") % waiting] if waiting else []
        told += [_("%s on hold.") % on_hold] if on_hold else []
        yield from self._model(
            _delivery(),
            _("What is sent to providers, and what became of it."),
            " ".join(told),
            attention=self._attention("failed deliveries", _delivery(), "?state__exact=failed"),
        )

    def _failed_events(self) -> Iterator[Entry]:
        yield from self._model(
            FailedEvent,
            _("Messages from the courses that could not be used."),
            attention=self._attention("failed events", FailedEvent, "?state__exact=failed"),
        )

    def _running(self) -> Iterator[Entry]:
        if not (address := desk_url(self.request, "desk_running")):
            return
        number, seconds = self.figures.get("events waiting", 0), self.figures.get("seconds of waiting", 0)
        figure = ngettext("%s event waits.", "%s events wait.", number) % in_thousands(number) if number else ""
        needs = ""
        if self.figures.get("consumers silent"):
            needs = _("No consumer runs")
        elif self.figures.get("workers silent"):
            needs = _("No worker runs")
        elif seconds >= LATE_SECONDS:
            needs = _("Events have waited for %s") % waited(seconds)
        purpose = _("Whether events are read and badges sent: consumers, workers, and what waits.")
        yield Entry(Link(_("How it runs"), address), purpose, figure, Attention(needs, address) if needs else None)

    def _attention(self, name: str, model: type[Model], query: str) -> Attention | None:
        number = self.figures.get(name, 0)
        if not number or model not in self.pages:
            return None
        text = ngettext("%s needs you", "%s need you", number) % in_words(number)
        return Attention(text, f"{self.pages[model]['admin_url']}{query}")

    def _providers(self) -> Iterator[Entry]:
        known = {*self.names, *EXPERTS, *SEEN} - {_channel()}
        rest = [model for model in self.pages if model not in known and not issubclass(model, BadgeTemplate)]
        paused = self.figures.get("paused accounts", 0)
        attention = None
        if paused and _channel() in self.pages:
            text = ngettext("%s account is on hold", "%s accounts are on hold", paused) % in_thousands(paused)
            attention = Attention(text, self.pages[_channel()]["admin_url"])
        purpose = _("Accounts at providers, their badges there, and what this site signs itself.")
        yield from self._several(_("Providers"), purpose, rest, attention)

    def _desk(self, name: str, title: str, purpose: str, figure: str = "") -> Iterator[Entry]:
        if address := desk_url(self.request, name):
            yield Entry(Link(title, address), purpose, figure)

    def _model(
        self,
        model: type[Model],
        purpose: str,
        figure: str = "",
        *,
        attention: Attention | None = None,
        add: Link | None = None,
        links: tuple[Link, ...] = (),
    ) -> Iterator[Entry]:
        if model in self.pages:
            link = Link(self.names[model], self.pages[model]["admin_url"])
            yield Entry(link, purpose, figure, attention, add, links)

    def _several(
        self, title: str, purpose: str, models: Sequence[type[Model]], attention: Attention | None = None
    ) -> Iterator[Entry]:
        if links := self._links(models):
            yield Entry(Link(title, ""), purpose, attention=attention, links=links)

    def _desk_links(self, *pages: tuple[str, str]) -> tuple[Link, ...]:
        """Return links to pages of the desk, by the names of their URLs, that the person may open."""
        found = [(title, desk_url(self.request, name)) for name, title in pages]
        return tuple(Link(title, address) for title, address in found if address)

    def _links(self, models: Sequence[type[Model]]) -> tuple[Link, ...]:
        found = [self.pages[model] for model in models if model in self.pages]
        return tuple(Link(str(capfirst(page["name"])), page["admin_url"]) for page in found if page["admin_url"])
