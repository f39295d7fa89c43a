"""Copy a badge: a draft with another name that asks for the same. Nobody has it, and nobody is on the way."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from badges_plugin.models import BadgeImage, BadgePenalty, BadgeRequirement, BadgeTemplate, RequirementGroup
from badges_plugin.web.desk.badge import saving
from badges_plugin.web.desk.badge.checking import MAX_NAME
from badges_plugin.web.desk.badge.memory import vars_of
from badges_plugin.web.desk.badge.permitted import MAY_ADD, to_change
from badges_plugin.web.desk.site import desk_page

_COPIED = (
    "site_id",
    "description",
    "icon",
    "can_be_reawarded",
    "in_order",
    "is_given_by_staff",
    "valid_days",
    "renewal_days",
)


@require_POST
@desk_page(*MAY_ADD)
def copy_badge(request: HttpRequest, template_id: int) -> HttpResponse:
    """Copy a badge and open the form of the copy. A provider's badge becomes one of this site."""
    original = to_change(request, template_id)
    with transaction.atomic():
        made = _Copy(original).made()
        saving.note(request, made, _("Copied from “%s”.") % original.name, is_new=True)
        saving.note(request, original, _("Copied to “%s”.") % made.name)
    messages.success(request, _("This is a copy of “%s”, a draft. Give it a name of its own.") % original.name)
    return HttpResponseRedirect(reverse("badges_web:desk_change_badge", args=(made.pk,)))


class _Copy:
    def __init__(self, original: BadgeTemplate) -> None:
        self._original = original

    def made(self) -> BadgeTemplate:
        values: dict[str, Any] = {name: getattr(self._original, name) for name in _COPIED}
        name = _("%s (copy)") % self._original.name[: MAX_NAME - 32]
        self._template = BadgeTemplate.objects.create(uuid=uuid4(), name=name, **values)
        groups = {each.pk: self._group(each) for each in self._original.groups.all()}
        self._requirements = {
            each.pk: self._requirement(each, groups.get(each.group_id or 0))
            for each in self._original.requirements.all()
        }
        for penalty in self._original.penalties.all():
            self._penalty(penalty)
        self._image()
        return self._template

    def _group(self, group: RequirementGroup) -> RequirementGroup:
        return RequirementGroup.objects.create(
            template=self._template, name=group.name, needed=group.needed, position=group.position
        )

    def _requirement(self, each: BadgeRequirement, group: RequirementGroup | None) -> BadgeRequirement:
        requirement = BadgeRequirement.objects.create(
            template=self._template,
            group=group,
            event_type=each.event_type,
            description=each.description,
            count=each.count,
            counted_by=each.counted_by,
            position=each.position,
            needs_badge_id=each.needs_badge_id,
        )
        for rule in each.existing_rules():
            requirement.rules.create(**vars_of(rule))
        return requirement

    def _penalty(self, each: BadgePenalty) -> None:
        penalty = BadgePenalty.objects.create(
            template=self._template, event_type=each.event_type, description=each.description
        )
        penalty.requirements.set([self._requirements[linked.pk] for linked in each.requirements.all()])
        for rule in each.existing_rules():
            penalty.rules.create(**vars_of(rule))

    def _image(self) -> None:
        image = BadgeImage.objects.filter(template=self._original.pk).first()
        if image is not None:
            image.pk, image.template = None, self._template
            image.save(force_insert=True)
