"""The page of one badge: what it is, what it asks for, who has it, and what there is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from badges_plugin import api, reading
from badges_plugin.admin import links as admin_links
from badges_plugin.admin.progress import standings
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.distribution import telling
from badges_plugin.distribution.telling import DeliveryTold
from badges_plugin.images import picture_of
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, BadgeTemplate, Fulfillment
from badges_plugin.reading import AwardState, CriteriaText, GroupText, Holder
from badges_plugin.web.desk.badge import saving, wording
from badges_plugin.web.desk.badge.decoding import setup_of
from badges_plugin.web.desk.badge.fields import is_only_given
from badges_plugin.web.desk.badge.permitted import may_change
from badges_plugin.web.desk.badge.places import give_url, list_url, trail_to
from badges_plugin.web.desk.failures import failures_for
from badges_plugin.web.desk.history import section
from badges_plugin.web.desk.reached import desk_url
from badges_plugin.web.desk.site import desk_page, page

SHOWN = 5
"""Rows of each part, then a link to all."""


@dataclass(frozen=True)
class Asked:
    """One thing to do, how many learners have done it, and the expert's page of it."""

    sentence: str
    keys: Sequence[str]
    learners: int
    url: str

    @property
    def learners_words(self) -> str:
        return in_words(self.learners)


@dataclass(frozen=True)
class Block:
    """Things to do, of which so many are needed: ``title`` says so."""

    title: str
    lines: Sequence[Asked]


@dataclass(frozen=True)
class Row:
    """A learner and one of their awards. URLs are empty where there is no such page."""

    name: str
    learner_url: str
    award_url: str
    shape: str
    state: str
    reason: str
    since: datetime
    deliveries: Sequence[DeliveryTold]
    """How the award stands at its providers; empty for who may not see deliveries."""


@require_safe
@desk_page("badges_plugin.view_badgetemplate")
def badge(request: HttpRequest, template_id: int) -> HttpResponse:
    """Show the page. The number of queries is fixed for each line that the badge asks for."""
    template = saving.loaded(template_id)
    if template is None:
        raise Http404
    pk, model = template.pk, admin_links.template_model(admin.site, template)
    may_edit = admin_links.may(request, "view", model)
    context = {
        "template": template,
        "sentence": wording.paragraph(template),
        "picture_url": _picture_url(template),
        "given_through": _given_through(template),
        "is_draft": not template.is_active and not BadgeProgress.objects.filter(template=template.pk).exists(),
        "has_words": setup_of(template) is not None,
        **_asks(request, template),
        **_learners(request, template),
        "failures": failures_for(request, pk),
        "history": section(pk),
        "actions": _actions(request, template),
        "numbers_url": desk_url(request, "desk_badge_numbers", pk),
        "expert_url": admin_links.page_url(admin.site, model, "change", pk) if may_edit else "",
    }
    return page(request, "badge", title=template.name, trail=trail_to(), context=context)


def _asks(request: HttpRequest, template: BadgeTemplate) -> dict[str, Any]:
    text: CriteriaText = reading.criteria([template.pk])[template.pk]
    keys = {
        each.pk: [rule.value for rule in each.existing_rules() if "key" in rule.key_path or "uuid" in rule.key_path]
        for each in template.requirements.all()
    }
    blocks = [_block(request, group, keys) for group in text.groups]
    problems = api.activation_problems(template)
    return {
        "blocks": blocks,
        "in_order": text.in_order,
        "losses": [penalty.sentence for penalty in text.penalties],
        "lost_badge": any(each.needs_badge_id for each in template.requirements.all()),
        "problems": problems,
        "warnings": [*api.activation_confirmations(template), *api.activation_warnings(template)],
    }


def _block(request: HttpRequest, group: GroupText, keys: dict[int, list[str]]) -> Block:
    may_see = admin_links.may(request, "view", BadgeRequirement)
    lines = [
        Asked(
            sentence=each.sentence,
            keys=[key for key in keys.get(each.id, ()) if key not in each.sentence],
            learners=count_up_to(
                Fulfillment.objects.filter(requirement=each.id, is_fulfilled=True).values("progress").distinct()
            ),
            url=admin_links.page_url(admin.site, BadgeRequirement, "change", each.id) if may_see else "",
        )
        for each in group.requirements
    ]
    if len(lines) == 1:
        return Block("", lines)
    if group.needed >= len(lines):
        return Block(_("All of these"), lines)
    return Block(_("Any %d of these") % group.needed, lines)


def _learners(request: HttpRequest, template: BadgeTemplate) -> dict[str, Any]:
    if not admin_links.may(request, "view", BadgeAward):
        return {"may_see_learners": False}
    held = BadgeAward.objects.filter(progress__template=template.pk, revoked_at=None)
    newest = reading.list_awards(reading.AwardFilter(template_id=template.pk), limit=SHOWN)
    sent = telling.shown_to(request.user, [each.award.id for each in newest.holders])
    rows = [_row(request, holder, sent.get(holder.award.id, ())) for holder in newest.holders]
    holders, known = count_up_to(held), count_up_to(BadgeProgress.objects.filter(template=template.pk))
    return {
        "may_see_learners": True,
        "holders": holders,
        "holders_words": in_words(holders),
        "known": known,
        "known_words": in_words(known),
        "rows": rows,
        "shows_deliveries": any(row.deliveries for row in rows),
        "holders_url": list_url(request, BadgeAward, progress__template__id__exact=template.pk, state="held"),
        "learners_url": list_url(request, BadgeProgress, template__id__exact=template.pk),
        "progress_url": list_url(request, BadgeProgress),
        "standings": standings(),
    }


def _row(request: HttpRequest, holder: Holder, deliveries: Sequence[DeliveryTold]) -> Row:
    award = holder.award
    told = {
        AwardState.HELD: ("desk-ok", _("Has it")),
        AwardState.EXPIRED: ("desk-lost", _("Expired")),
        AwardState.REVOKED: ("desk-lost", _("Revoked")),
    }
    shape, state = told[award.state]
    return Row(
        name=holder.full_name or holder.username or _("A retired learner"),
        learner_url=desk_url(request, "desk_learner", award.user_id),
        award_url=desk_url(request, "desk_award", award.id),
        shape=shape,
        state=state,
        reason=award.reason,
        since=award.ended_at or award.awarded_at,
        deliveries=deliveries,
    )


def _actions(request: HttpRequest, template: BadgeTemplate) -> dict[str, str]:
    """Return the addresses of what can be done, by name: only what this person may do."""
    pk, is_active = template.pk, template.is_active
    may = may_change(request, template)
    return {
        "change": desk_url(request, "desk_change_badge", pk) if may else "",
        "copy": desk_url(request, "desk_copy_badge", pk) if may else "",
        "activate": desk_url(request, "desk_activate_badge", pk) if may and not is_active else "",
        "deactivate": desk_url(request, "desk_deactivate_badge", pk) if may and is_active else "",
        "catch_up": desk_url(request, "desk_catch_up", pk) if may and is_active and not is_only_given(template) else "",
        "give": give_url(request, template) if is_active else "",
        "try": desk_url(request, "desk_try", badge=pk),
    }


def _picture_url(template: BadgeTemplate) -> str:
    picture = picture_of(template)
    is_theirs = template.origin != BadgeTemplate.ORIGIN and picture.row is None
    return (is_theirs and template.icon) or picture.best_url


def _given_through(template: BadgeTemplate) -> str:
    """Return who gives the badge out: the name of the backend that it comes from."""
    return _("this site") if template.origin == BadgeTemplate.ORIGIN else template.origin.replace("_", " ").title()


@desk_page("badges_plugin.view_badgeaward")
def holders(request: HttpRequest, template_id: int) -> HttpResponse:
    """Lead to the file of those who hold a badge: that of the list of awards, with these filters."""
    template = get_object_or_404(BadgeTemplate, pk=template_id)
    query = urlencode({"progress__template__id__exact": str(template.pk), "state": AwardState.HELD.value})
    return HttpResponseRedirect(f"{reverse('admin:badges_plugin_badgeaward_export')}?{query}")
