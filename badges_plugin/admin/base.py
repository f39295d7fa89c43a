"""Base classes of the admin pages: Django's with their type parameters, and read-only pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from badges_plugin.admin.links import shown_to

ModelT = TypeVar("ModelT", bound=models.Model)
ChildT = TypeVar("ChildT", bound=models.Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as DjangoModelAdmin
    from django.contrib.admin import StackedInline as StackedInline
    from django.contrib.admin import TabularInline as TabularInline
    from django.forms import BaseInlineFormSet as BaseInlineFormSet
    from django.forms import ModelForm as ModelForm
else:
    # Generic for the type checker only: in a host without django-stubs Django's own classes take no parameters.
    class _Subscriptable:
        def __class_getitem__(cls, _parameters: object) -> type:
            return cls

    class DjangoModelAdmin(_Subscriptable, admin.ModelAdmin):
        pass

    class StackedInline(_Subscriptable, admin.StackedInline):
        pass

    class TabularInline(_Subscriptable, admin.TabularInline):
        pass

    class ModelForm(_Subscriptable, forms.ModelForm):
        pass

    class BaseInlineFormSet(_Subscriptable, forms.BaseInlineFormSet):
        pass


# Django gives a text ten rows; these hold a sentence or two.
SHORT_TEXTS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})}
}


class ModelAdmin(DjangoModelAdmin[ModelT]):
    """The base of every page of ours."""

    change_list_template = "badges_plugin/admin/list.html"
    empty_text: ClassVar[Any] = ""
    """What a list says that has no rows at all."""

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("badges_plugin/admin/lists.css",)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Return the list, whose filters are closed until one is chosen: they stand above it."""
        changelist = super().get_changelist_instance(request)
        for each in changelist.filter_specs:
            if each.template == admin.ListFilter.template:
                each.template = "badges_plugin/admin/filter.html"
        for row in changelist.result_list:
            shown_to(row, request)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ModelT | None:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            shown_to(found, request)
        return found

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether the URL of a list may filter by ``lookup``: only by what the list offers as a filter.

        Django allows every column of the model in any comparison, so that somebody who may see a list could read a
        column that no page shows, letter by letter (``?payload__startswith=...``).
        """
        return lookup in allowed_lookups(self, request)


def allowed_lookups(model_admin: admin.ModelAdmin[Any], request: HttpRequest | None = None) -> set[str]:
    """Return the parameters that the filters of a list, and its date hierarchy, put into URLs."""
    given = model_admin.get_list_filter(request) if request is not None else model_admin.list_filter
    allowed: set[str] = set()
    for entry in given:
        # A path, a filter of one's own, or a path with the class that filters by it.
        each = entry[0] if isinstance(entry, tuple | list) else entry
        if isinstance(each, str):
            allowed |= _lookups_of(model_admin.model, each)
            # What a filter of ours adds to those of Django's that it inherits from.
            allowed.add(str(getattr(entry[1], "parameter", each)) if isinstance(entry, tuple | list) else each)
        else:
            allowed.add(str(getattr(each, "parameter_name", "")))
    if model_admin.date_hierarchy:
        name = model_admin.date_hierarchy
        allowed |= {f"{name}__{part}" for part in ("year", "month", "day", "gte", "lt")}
    return allowed


def _lookups_of(model: type[models.Model], path: str) -> set[str]:
    """Return the comparisons that Django's own filters make with a field."""
    field = get_fields_from_path(model, path)[-1]
    if field.is_relation:
        target = field.target_field.name if hasattr(field, "target_field") else "id"
        return {f"{path}__{target}__exact", f"{path}__{target}__in", f"{path}__isnull"}
    comparisons = ["exact", "in", "isnull"]
    if isinstance(field, models.DateField):
        comparisons += ["gte", "lt"]
    return {path, *(f"{path}__{comparison}" for comparison in comparisons)}


def titled(title: Any) -> type[admin.FieldListFilter]:
    """Return a class for ``list_filter`` that makes the usual filter of a field, with another title."""

    class Titled(admin.FieldListFilter):
        def __new__(cls, *given: Any, **named: Any) -> Any:
            made = admin.FieldListFilter.create(*given, **named)
            made.title = title
            return made

    return Titled


class ReadOnlyAdmin(ModelAdmin[ModelT]):
    """Rows that events write and people only look at. Actions are shown to users with the change permission."""

    change_form_template = "badges_plugin/admin/facts_form.html"

    def heading(self, obj: ModelT) -> str:
        """Return the heading of the page of an object. ``str(obj)`` is for logs and names no person."""
        return str(obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context["subtitle"] = self.heading(obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        # Without an object it decides about the actions of the list; the page of one object has nothing to save.
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline[ChildT, ModelT]):
    """Rows that events write, below the row that they belong to."""

    template = "badges_plugin/admin/facts_inline.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
