"""The pages of requirements and penalties: both belong to a badge template and have rules."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api
from badges_plugin.admin import activation, links
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import SHORT_TEXTS, ModelAdmin, ModelForm
from badges_plugin.admin.questions import ASKED, Questions, ask_plainly, raised_by, unanswered, unasked
from badges_plugin.admin.rules import choices_for_script, offered_event_types
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models import BadgeTemplate
from badges_plugin.models.key_paths import compile_for
from badges_plugin.reading import Condition, event_label, rule_sentence, sentences

RULES = "rules"
"""Prefix of the fields of rules: Django takes the name of the relation."""


class ConditionForm(ModelForm[Condition]):
    """A requirement or penalty of ``badge_template``, which is chosen before and never changes."""

    badge_template: ClassVar[BadgeTemplate | None] = None
    questions: Questions | None = None

    event_type = forms.ChoiceField(
        label=gettext_lazy("Event"),
        help_text=gettext_lazy("What a learner does on the platform. The rules below say which of these events count."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.badge_template is not None and not self.instance.pk:
            self.instance.template = self.badge_template
        field = self.fields.get("event_type")
        if isinstance(field, forms.ChoiceField):
            offered = offered_event_types(self.instance)
            field.choices = [(name, f"{event_label(name)} ({name})") for name in offered]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Who may not see the rules may still change the event; else the rules ask, with what they will be.
        if not self.errors and f"{RULES}-TOTAL_FORMS" not in self.data:
            self.questions = raised_by(self.instance, self.instance.existing_rules(), self.data)
            for text in unanswered(self.questions):
                self.add_error(None, ValidationError(text, code=ASKED))

    def clean_event_type(self) -> str:
        """Refuse an event type that the rules of the stored condition cannot work with."""
        event_type: str = self.cleaned_data["event_type"]
        if "event_type" in self.changed_data:
            reasons = [_reason(event_type, rule) for rule in self.instance.existing_rules()]
            if any(reasons):
                raise ValidationError([reason for reason in reasons if reason])
        return event_type


class EventFilter(admin.SimpleListFilter):
    title = gettext_lazy("event")
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = model_admin.model.objects.order_by("event_type").values_list("event_type", flat=True).distinct()
        return [(name, event_label(name)) for name in stored]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Condition]) -> QuerySet[Condition]:
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class ConditionList(ChangeList):
    """Says the conditions of a page in words, all at once: each by itself would look for the titles of its courses."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        said = sentences(self.result_list)
        for condition in self.result_list:
            vars(condition)["sentence"] = said[condition.pk]


class ConditionAdmin(ModelAdmin[Condition]):
    """Reached from the page of the badge template, and leads back to it."""

    change_form_template = "badges_plugin/admin/condition_form.html"
    readonly_fields: ClassVar[tuple[str, ...]] = ("badge_template",)
    list_display: tuple[str, ...] = ("what", "template", "event")
    list_filter = (EventFilter, ("template", TemplateFilter))
    list_select_related: ClassVar[tuple[str, ...]] = ("template",)
    search_fields = ("description", "template__name", "rules__value")
    ordering = ("template__name", "pk")
    formfield_overrides = SHORT_TEXTS

    @admin.display(description=gettext_lazy("badge template"))
    def badge_template(self, condition: Condition) -> str:
        template = condition.template
        model = links.template_model(self.admin_site, template)
        return links.link_to(self.admin_site, model, template.pk, template)

    @admin.display(description=gettext_lazy("in words"), ordering="description")
    def what(self, condition: Condition) -> str:
        said = vars(condition).get("sentence")
        return said if said is not None else sentences([condition])[condition.pk]

    @admin.display(description=gettext_lazy("event"), ordering="event_type")
    def event(self, condition: Condition) -> str:
        return event_label(condition.event_type)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Condition]:
        return super().get_queryset(request).prefetch_related("rules")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConditionList

    def get_form(
        self, request: HttpRequest, obj: Condition | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Condition]]:
        form = super().get_form(request, obj, change, **kwargs)
        template = obj.template if obj is not None else self._chosen_template(request)
        return type(form.__name__, (form,), {"badge_template": template})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return the form once the URL names a template; ask for one before."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        template = self._chosen_template(request)
        if template is None:
            return self._ask_for_template(request)
        reason = self.reason_against_adding(template)
        if reason:
            messages.error(request, reason)
            return self._to_template(request, template)
        return super().add_view(request, form_url, extra_context)

    def reason_against_adding(self, template: BadgeTemplate) -> str:
        """Return why the template cannot have another of these yet, or an empty string."""
        return ""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context["subtitle"] = self.what(obj)
        context["rule_choices"] = choices_for_script(offered_event_types(obj))
        asking = [context["adminform"].form, *(each.formset for each in context["inline_admin_formsets"])]
        raised = [asked for form in asking if (asked := getattr(form, "questions", None))]
        if not raised and obj is not None and self.has_change_permission(request, obj):
            raised = [unasked(obj)]
        context["questions"] = next(iter(raised), None)
        ask_plainly(request, context)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the rules as well, then keep or forget as chosen, then tell what the change means."""
        super().save_related(request, form, formsets, change)
        condition = self.model.objects.get(pk=form.instance.pk)
        self.decide(request, condition, form)
        template = condition.template
        if not template.is_active:
            for warning in api.condition_warnings(condition):
                messages.warning(request, warning)
        activation.tell_state(request, template.pk, was_active=template.is_active)

    def decide(self, request: HttpRequest, condition: Condition, form: Any) -> None:
        """Keep or forget what learners did under earlier rules, as it was chosen."""

    def response_add(self, request: HttpRequest, obj: Condition, post_url_continue: str | None = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST:
            return HttpResponseRedirect(request.get_full_path())  # with the template
        return response

    def response_post_save_add(self, request: HttpRequest, obj: Condition) -> HttpResponseRedirect:
        return self._to_template(request, obj.template)

    def response_change(self, request: HttpRequest, obj: Condition) -> HttpResponse:
        response = super().response_change(request, obj)
        if "_addanother" in request.POST:
            return HttpResponseRedirect(
                links.page_url(self.admin_site, self.model, "add", template=obj.template.pk),
            )
        return response

    def response_post_save_change(self, request: HttpRequest, obj: Condition) -> HttpResponseRedirect:
        return self._to_template(request, obj.template)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        condition = self.get_object(request, unquote(object_id))
        response = super().delete_view(request, object_id, extra_context)
        if condition is not None and isinstance(response, HttpResponseRedirect):
            return self._to_template(request, condition.template)
        return response

    def delete_model(self, request: HttpRequest, obj: Condition) -> None:
        template = obj.template
        super().delete_model(request, obj)
        activation.tell_state(request, template.pk, was_active=template.is_active)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Condition]) -> None:
        templates = {condition.template_id: condition.template for condition in queryset.select_related("template")}
        super().delete_queryset(request, queryset)
        for template in templates.values():
            activation.tell_state(request, template.pk, was_active=template.is_active)

    def _chosen_template(self, request: HttpRequest) -> BadgeTemplate | None:
        pk = request.GET.get("template", "")
        return BadgeTemplate.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 10 else None

    def _ask_for_template(self, request: HttpRequest) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Add %s") % self.opts.verbose_name,
            "subtitle": _("Choose a badge template"),
            "templates": BadgeTemplate.objects.order_by("name"),
        }
        return TemplateResponse(request, "badges_plugin/admin/choose_template.html", context)

    def _to_template(self, request: HttpRequest, template: BadgeTemplate) -> HttpResponseRedirect:
        model = links.template_model(self.admin_site, template)
        if links.may(request, "view", model):
            return HttpResponseRedirect(links.page_url(self.admin_site, model, "change", template.pk))
        return HttpResponseRedirect(links.page_url(self.admin_site, self.model, "changelist"))


def _reason(event_type: str, rule: Any) -> str | SafeString:
    try:
        compile_for(event_type, rule)
    except (InvalidRule, UnusableEventType) as error:
        message = _("The rule “%(rule)s” cannot be used with this event. %(reason)s Delete the rule first.")
        return message % {"rule": rule_sentence(rule), "reason": error}
    return ""
