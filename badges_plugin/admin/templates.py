"""Badge templates: what a badge is, what it asks for, and whether it can be earned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, cast

import django
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, URLField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api
from badges_plugin.admin import activation, cells, links
from badges_plugin.admin.base import SHORT_TEXTS, ModelForm, titled
from badges_plugin.admin.images import WithImage
from badges_plugin.admin.overview import WithHistory, overview
from badges_plugin.admin.questions import ASKED, ask_plainly
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.models import BadgePenalty, BadgeProgress, BadgeRequirement, BadgeTemplate

CONFIRMED = "confirm_activation"
"""Name of the field."""

Inline = type[InlineModelAdmin]  # type: ignore[type-arg]  # at run time it has no arguments

_inlines: dict[Inline, Callable[[BadgeTemplate], bool]] = {}


def register_inline(inline: Inline, *, when: Callable[[BadgeTemplate], bool]) -> None:
    """Show rows of another app on the pages of stored badge templates, of any origin, for which ``when`` is true."""
    _inlines[inline] = when


class BadgeTemplateForm(ModelForm[BadgeTemplate]):
    to_confirm: Sequence[str] = ()

    class Meta:
        labels = {"is_active": gettext_lazy("Active")}
        help_texts = {
            "is_active": gettext_lazy(
                "Learners earn and lose the badge only while it is active. "
                "When you deactivate it, they keep the badges they have."
            ),
            "icon": gettext_lazy(
                "URL of an image elsewhere, if events and signed badges are to name that. Pages show the image that "
                "is chosen at the end of this page."
            ),
        }

    def clean_is_active(self) -> bool:
        """Refuse, with every reason, to switch on what cannot work."""
        is_active: bool = self.cleaned_data["is_active"]
        if is_active and "is_active" in self.changed_data:
            problems = api.activation_problems(self.instance)
            if problems:
                raise ValidationError(problems)
            self.to_confirm = api.activation_confirmations(self.instance)
            if self.to_confirm and self.data.get(CONFIRMED) != "on":
                raise ValidationError(
                    _("Nothing is saved yet. Confirm that you want this, or correct the rules."), code=ASKED
                )
        return is_active


class BadgeTemplateAdmin(WithHistory, WithImage):
    """The page of a badge template of any origin; a backend's admin inherits from it.

    A subclass names its own ``fieldsets``, ``list_display`` and ``readonly_fields``, extending the ones here,
    and must leave the fields under "Awarding" to be edited. Requirements, penalties and the
    actions come with the page. ``is_active`` and ``shown_uuid`` are left out while a template is added.
    """

    is_of_provider: ClassVar[bool] = True
    """Whether the templates have a provider, besides which this site may sign badges itself."""

    form = BadgeTemplateForm
    change_form_template = "badges_plugin/admin/template_form.html"
    list_display: tuple[str, ...] = (
        "badge",
        "standing",
        "requirement_count",
        "penalty_count",
        "modified",
    )
    list_filter: ClassVar[tuple[Any, ...]] = (("is_active", titled(gettext_lazy("active"))), "site")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "description", "uuid")
    readonly_fields: ClassVar[tuple[str, ...]] = ("image", "shown_uuid")
    ordering = ("name",)
    formfield_overrides = SHORT_TEXTS
    actions = ("activate", "deactivate")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "description", "icon", "image", "site", "shown_uuid")}),
        (gettext_lazy("Awarding"), {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days")}),
    )

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def badge(self, template: BadgeTemplate) -> str:
        """Return the name, which leads to the badge's page on the desk; its state leads to the page in the admin."""
        own = links.page_url(self.admin_site, self.model, "change", template.pk)
        return cells.badge(template, template, otherwise=own)

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def standing(self, template: BadgeTemplate) -> str:
        return cells.active(template.is_active)

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        shown = tuple(name for name in list_display if name == "standing")
        return shown or super().get_list_display_links(request, list_display)

    @admin.display(description=gettext_lazy("UUID"))
    def shown_uuid(self, template: BadgeTemplate) -> str:
        return str(template.uuid)

    @admin.display(description=gettext_lazy("requirements"), ordering="requirement_total")
    def requirement_count(self, template: BadgeTemplate) -> int:
        return int(getattr(template, "requirement_total", 0))

    @admin.display(description=gettext_lazy("penalties"), ordering="penalty_total")
    def penalty_count(self, template: BadgeTemplate) -> int:
        return int(getattr(template, "penalty_total", 0))

    @admin.action(description=gettext_lazy("Activate selected badge templates"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> HttpResponse | None:
        templates = list(queryset)
        if CONFIRMED not in request.POST and (questions := _to_confirm(templates)):
            return self._ask_to_confirm(request, templates, questions)
        activated = [template for template in templates if activation.activate(request, template)]
        for template in activated:
            self.log_change(request, template, _("Activated."))
        if activated:
            text = ngettext("%d badge template is active.", "%d badge templates are active.", len(activated))
            self.message_user(request, text % len(activated), messages.SUCCESS)
        return None

    def _ask_to_confirm(
        self, request: HttpRequest, templates: Sequence[BadgeTemplate], questions: Sequence[tuple[BadgeTemplate, str]]
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Activate these badge templates?"),
            "opts": self.opts,
            "action_name": "activate",
            "rows": templates,
            "questions": questions,
            "confirmed": CONFIRMED,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "badges_plugin/admin/confirm_activation.html", context)

    @admin.action(description=gettext_lazy("Deactivate selected badge templates"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> None:
        templates = list(queryset)
        for template in templates:
            activation.deactivate(request, template)
            self.log_change(request, template, _("Deactivated."))
        text = ngettext(
            "%d badge template is inactive. Learners keep the badges they have.",
            "%d badge templates are inactive. Learners keep the badges they have.",
            len(templates),
        )
        self.message_user(request, text % len(templates), messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeTemplate]:
        """With the numbers of requirements and penalties: counted by the database, not row by row."""
        return (
            super()
            .get_queryset(request)
            .annotate(requirement_total=_count(BadgeRequirement), penalty_total=_count(BadgePenalty))
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Django 6 does so by itself, Django 5 warns, and Django 4.2 cannot.
        if isinstance(db_field, URLField) and django.VERSION >= (5, 0):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> Any:
        fieldsets: list[tuple[Any, dict[str, Any]]] = [
            (title, {**options, "fields": self._with_common(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]
        if obj is not None:
            return fieldsets
        # A new template has no requirements, so it cannot be active, and its other facts come into being with it.
        later = ("is_active", *self.get_readonly_fields(request, obj))
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in later)})
            for title, options in fieldsets
        ]

    def _with_common(self, fields: Sequence[Any]) -> tuple[Any, ...]:
        """Add what every template has and its backend's admin does not name."""
        common = (
            "can_be_reawarded",
            "is_given_by_staff",
            "in_order",
            *(("is_signed_here",) if self.is_of_provider else ()),
        )
        return tuple(each for name in fields for each in (common if name == "can_be_reawarded" else (name,)))

    def get_inlines(self, request: HttpRequest, obj: BadgeTemplate | None) -> list[Any]:
        registered = [inline for inline, when in _inlines.items() if obj is not None and when(obj)]
        return [*super().get_inlines(request, obj), *registered]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = {**super().get_changeform_initial_data(request)}
        try:
            site = Site.objects.get_current(request)
        except Site.DoesNotExist:  # the admin is reached by a host name that is no site of the service
            return initial
        return {"site": site.pk, **initial}

    def save_model(self, request: HttpRequest, obj: BadgeTemplate, form: Any, change: bool) -> None:
        """Save what was edited, and nothing else; activation goes the core's way."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        switched = "is_active" in form.changed_data
        if edited := [name for name in form.changed_data if name != "is_active"]:
            # A synchronization or webhook may have written the rest since it was read.
            obj.save(update_fields=[*edited, "modified"])
        if not switched:
            return
        wanted, obj.is_active = obj.is_active, not obj.is_active
        if wanted:
            activation.activate(request, obj)
        else:
            activation.deactivate(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        template = kwargs.get("obj")
        if template is not None:
            context["overview"] = overview(self.admin_site, request, template)
            context["to_confirm"] = getattr(context["adminform"].form, "to_confirm", ())
            ask_plainly(request, context)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: BadgeTemplate) -> HttpResponseRedirect:
        """Go on to the page of the new template, where its requirements are added."""
        self.message_user(request, _("Now add what learners must do for the badge. Then activate it."), messages.INFO)
        return HttpResponseRedirect(links.page_url(self.admin_site, self.model, "change", obj.pk))

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], Any, set[str], list[str]]:
        """Refuse templates with progress, with the number of learners: Django would load and list every one of them."""
        templates = list(objs)
        counted = [(each, count_up_to(BadgeProgress.objects.filter(template=each.pk))) for each in templates]
        reasons = [
            ngettext(
                "%(template)s has the progress of %(count)s learner. Deactivate it instead of deleting it.",
                "%(template)s has the progress of %(count)s learners. Deactivate it instead of deleting it.",
                learners,
            )
            % {"template": template.name, "count": in_words(learners)}
            for template, learners in sorted(counted, key=lambda pair: pair[0].name)
            if learners
        ]
        reasons += api.deletion_problems(templates)
        if reasons:
            return [], {}, set(), reasons
        return cast("tuple[list[Any], Any, set[str], list[str]]", super().get_deleted_objects(templates, request))


def _to_confirm(templates: Sequence[BadgeTemplate]) -> list[tuple[BadgeTemplate, str]]:
    """Return what must be confirmed, of the templates that can be activated at all."""
    return [
        (template, text)
        for template in templates
        if not template.is_active and not api.activation_problems(template)
        for text in api.activation_confirmations(template)
    ]


def _count(model: type[BadgeRequirement] | type[BadgePenalty]) -> Coalesce:
    of_template = model.objects.filter(template=OuterRef("pk")).order_by().values("template")
    return Coalesce(Subquery(of_template.annotate(total=Count("pk")).values("total")), 0, output_field=IntegerField())
