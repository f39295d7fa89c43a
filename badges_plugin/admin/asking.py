"""Pages on which staff decide something about one row or several: what will happen is said before it is done.

A button that ends in "…" leads to such a page, one without does it at once. The page of a row and the action of a list
lead to the same page, and so may pages elsewhere: by ``question_url``, with where to go afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from badges_plugin import staff_log
from badges_plugin.admin.base import ModelT
from badges_plugin.host import User

MAX_AT_ONCE = 200
"""Whoever confirms a list has read it. Longer lists belong in a command."""
KEY, NEXT = "id", "next"
"""Names of the parameters: the rows, and where to go afterwards."""
_DIGITS = 18

if TYPE_CHECKING:
    AnyAdmin = ModelAdmin[Any]
else:
    AnyAdmin = ModelAdmin


@dataclass(frozen=True)
class Button:
    """A button beside what it answers. ``style``: "default", "desk-plain" or "desk-danger"."""

    label: str
    url: str
    key: object
    style: str = "desk-plain"
    asks: bool = True
    """Whether it opens a page that asks; otherwise it acts at once."""


class Question(ABC, Generic[ModelT]):
    """Something that staff may do to rows of a model, and the page that asks about it.

    The rows are those that were asked about and to which it can be done.
    """

    name: ClassVar[str]
    """Part of the URL, and the name of the action in the list."""
    template: ClassVar[str] = ""
    """The page that asks; empty where it is done at once."""
    form_class: ClassVar[type[forms.Form]] = forms.Form

    def __init__(self, admin: AskingAdmin, request: HttpRequest, rows: Sequence[ModelT]) -> None:
        self.admin, self.request, self.rows = admin, request, rows

    @classmethod
    @abstractmethod
    def choose(cls, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """Return the rows to which it can be done, with what the page shows of them."""

    @classmethod
    @abstractmethod
    def nothing(cls) -> str:
        """Return why nothing happens when there are no such rows."""

    @classmethod
    def offered(cls, row: ModelT) -> str:
        """Return the label of the button on the page of a row; empty where there is none. See ``offer``."""
        return ""

    @abstractmethod
    def act(self, answer: dict[str, Any]) -> None:
        """Do it, and say so; ``answer`` is the cleaned data of the form."""

    def title(self) -> str:
        """Return the heading of the page."""
        return ""

    def context(self) -> dict[str, Any]:
        """Return what the page shows besides the rows and the form."""
        return {}

    @property
    def staff(self) -> User:
        """Who decides."""
        return cast("User", self.request.user)

    def say(self, text: str, level: int = messages.SUCCESS) -> None:
        self.admin.message_user(self.request, text, level)


_OFFERED: dict[type[Model], list[type[Question[Any]]]] = defaultdict(list)


def offer(model: type[Model], question: type[Question[Any]]) -> None:
    """Add a question to the pages of a model, from a layer above that of its admin. Before the URLs are read."""
    if question not in _OFFERED[model]:
        _OFFERED[model].append(question)


class AskingAdmin(AnyAdmin):
    """Mixin of an admin: the pages of its questions."""

    questions: ClassVar[Sequence[type[Question[Any]]]] = ()

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"{each.name}/", self.admin_site.admin_view(partial(self.ask, kind=each)), name=_url_name(self, each))
            for each in (*self.questions, *_OFFERED[self.model])
        ]
        return [*own, *super().get_urls()]

    def ask(self, request: HttpRequest, kind: type[Question[Any]]) -> HttpResponse:
        """Show a question or, once it is answered, act and go back."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        keys = _keys(request)
        if not kind.template and request.method != "POST":
            return HttpResponseRedirect(self.way_back(request, keys))
        if len(keys) > MAX_AT_ONCE:
            self.message_user(request, _("Select at most %d at once.") % MAX_AT_ONCE, messages.WARNING)
            return HttpResponseRedirect(self.way_back(request, keys))
        rows = list(kind.choose(self.get_queryset(request).filter(pk__in=keys)).order_by("pk"))
        if not rows:
            self.message_user(request, kind.nothing(), messages.WARNING)
            return HttpResponseRedirect(self.way_back(request, keys))
        question = kind(self, request, rows)
        form = kind.form_class(request.POST if request.method == "POST" else None)
        if form.is_valid():
            question.act(form.cleaned_data)
            return HttpResponseRedirect(self.way_back(request, keys))
        return self._page(request, question, form, keys)

    def ask_about(self, request: HttpRequest, rows: QuerySet[Any], kind: type[Question[Any]]) -> HttpResponse | None:
        """Lead from the list to the question about the selected rows. For actions."""
        keys = list(kind.choose(rows).order_by("pk").values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
        if not keys or len(keys) > MAX_AT_ONCE:
            text = _("Select at most %d at once.") % MAX_AT_ONCE if keys else kind.nothing()
            self.message_user(request, text, messages.WARNING)
            return None
        return HttpResponseRedirect(question_url(self.admin_site, self.model, kind.name, *keys))

    def way_back(self, request: HttpRequest, keys: Sequence[int]) -> str:
        """Return where to go afterwards: where the button was, else the page of the row, or the list of several."""
        wanted = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
        if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            return wanted
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{name}_change", args=keys) if len(keys) == 1 else reverse(f"{name}_changelist")

    def button(self, kind: type[Question[Any]], label: str, row: Model, style: str = "desk-plain") -> Button:
        url = question_url(self.admin_site, self.model, kind.name, *([row.pk] if kind.template else []))
        return Button(label, url, row.pk, style, asks=bool(kind.template))

    def offered_buttons(self, row: Model) -> list[Button]:
        """Return the buttons of questions that other layers offer."""
        offered = [(each, each.offered(row)) for each in _OFFERED[self.model]]
        return [self.button(each, label, row) for each, label in offered if label]

    def log_each(self, request: HttpRequest, keys: Collection[int], text: str) -> None:
        """Write the same words into the history of several rows. One statement for some hundreds."""
        rows = self.model._default_manager.filter(pk__in=keys).order_by("pk")  # noqa: SLF001  documented
        staff_log.note(cast("int", request.user.pk), self.model, rows, text)

    def _page(
        self, request: HttpRequest, question: Question[Any], form: forms.Form, keys: Sequence[int]
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": question.title(),
            "rows": question.rows,
            "left_out": len(keys) - len(question.rows),
            "form": form,
            "back": self.way_back(request, keys),
            "next": request.POST.get(NEXT) or request.GET.get(NEXT) or "",
            **question.context(),
        }
        return TemplateResponse(request, question.template, context)


def question_url(site: AdminSite, model: type[Model], name: str, *keys: object, **query: str) -> str:
    """Return the URL of the page that asks about rows, by the name of the question."""
    opts = model._meta
    url = reverse(f"{site.name}:{opts.app_label}_{opts.model_name}_{name}")
    given = [*((KEY, str(key)) for key in keys), *query.items()]
    return f"{url}?{urlencode(given)}" if given else url


def _url_name(admin: ModelAdmin[Any], kind: type[Question[Any]]) -> str:
    return f"{admin.opts.app_label}_{admin.opts.model_name}_{kind.name}"


def _keys(request: HttpRequest) -> list[int]:
    """Return the keys of the rows that a request is about; what is no number is left out."""
    given = (request.POST if request.method == "POST" else request.GET).getlist(KEY)
    found = (each for each in given if each.isascii() and each.isdecimal() and len(each) <= _DIGITS)
    return list(dict.fromkeys(map(int, found)))
