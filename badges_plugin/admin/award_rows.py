"""The pages of what belongs to an award: its deliveries, its signature, its mails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin import cells
from badges_plugin.admin.base import ModelT
from badges_plugin.admin.large import LargeTableAdmin, people
from badges_plugin.admin.links import link_to
from badges_plugin.models import BadgeAward


class AwardRowAdmin(LargeTableAdmin[ModelT]):
    """The base of these pages: the columns of the award, and the search by its learner. The model has an ``award``."""

    list_select_related: ClassVar[tuple[str, ...]] = ("award__progress__user", "award__progress__template")

    def learner_of(self, row: Any) -> Any:
        return row.award.user

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        if users := people(request, term):
            yield Q(award__progress__user__in=users)

    @admin.display(description=_("award"))
    def award_link(self, row: Any) -> str:
        return link_to(self.admin_site, BadgeAward, row.award_id, f"#{row.award.number}")

    @admin.display(description=_("learner"), ordering="award__progress__user__username")
    def user(self, row: Any) -> str:
        return cells.learner(row, row.award.user)

    @admin.display(description=_("badge"), ordering="award__progress__template__name")
    def template(self, row: Any) -> str:
        return cells.badge(row, row.award.template)
