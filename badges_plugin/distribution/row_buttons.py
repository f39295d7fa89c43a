"""Buttons in the list of deliveries, beside the reason that each answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.asking import KEY, NEXT, question_url
from badges_plugin.distribution.asking import GiveUp, TryAgain
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = object

ACT = "act"
"""The name of the column."""
_BACK = "list_url"


class RowButtons(AnyAdmin):
    """Mixin of an admin whose list has the column, for those who may decide, while anything is to be decided."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        # Decided before the list is read: the addresses of sorted lists have the numbers of the columns.
        is_shown = self.has_change_permission(request) and Delivery.objects.filter(state=State.FAILED).exists()
        return [name for name in super().get_list_display(request) if is_shown or name != ACT]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        for row in changelist.result_list:
            vars(row)[_BACK] = request.get_full_path()
        return changelist

    @admin.display(description=_("what you can do"))
    def act(self, delivery: Delivery) -> str:
        """Return a button and a link where only staff can help. The button posts the form that the list is in."""
        if delivery.state != State.FAILED:
            return ""
        back = {NEXT: vars(delivery).get(_BACK, "")}
        return format_html(
            '<button type="submit" class="badges-act" formaction="{try_url}" name="{name}" value="{key}" '
            'aria-label="{try_again}: {about}">{try_again}</button> '
            '<a href="{give_up_url}" aria-label="{give_up} {about}">{give_up}</a>',
            try_url=question_url(self.admin_site, Delivery, TryAgain.name, **back),
            name=KEY,
            key=delivery.pk,
            try_again=gettext("Try again"),
            about=f"{delivery.award.user.get_username()}, {delivery.award.template.name}",
            give_up_url=question_url(self.admin_site, Delivery, GiveUp.name, delivery.pk, **back),
            give_up=gettext("Give up…"),
        )
